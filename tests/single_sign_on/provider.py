"""A provider of OpenID Connect on the loopback interface: pyop behind real HTTP, which can be told to misbehave."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from Cryptodome.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from joserfc.jwk import RSAKey as SigningKey
from jwkest.jwk import RSAKey
from pyop.authz_state import AuthorizationState
from pyop.exceptions import OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo

CLIENT_ID, CLIENT_SECRET = "alertcheck", "canary-client-secret/with?odd&signs"
PUBLIC_URL = "http://localhost"
CALLBACK = "/sign-in/callback"

Claims = dict[str, Any]
# Writes a response by hand.
Answer = Callable[["_Handler"], None]


def generate_key() -> RSA.RsaKey:
    """Make a key with OpenSSL, which takes a tenth of the time that Cryptodome takes."""
    key = rsa.generate_private_key(65537, 2048)
    return RSA.import_key(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


class TestProvider:
    """A provider and its switches.

    user: who is at the keyboard. change_claims: changes the claims of an ID token before it is signed again, with
    `signing_key` and `header`. answers: by path, instead of the provider's own. changed_metadata: replaces entries.
    requested: the paths that were requested, in their order.
    """

    __test__ = False

    def __init__(self, server: ThreadingHTTPServer, private_key: RSA.RsaKey, public_url: str) -> None:
        self.public_url = public_url
        self.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        self.users: dict[str, Claims] = {}
        self.user = "ada"
        self.released = Event()
        self.own_key = private_key
        self._sign_with_own_key = self.sign_with(private_key, "k1")  # reading a key takes longer than most tests
        self.reset()

    def reset(self) -> None:
        """Let the provider behave, forget what it was asked, and let one user sign in."""
        self.users.clear()
        self.users["ada"] = {"name": "Ada Harbor", "email": "ada@example.com", "email_verified": True, "groups": []}
        self.user = "ada"
        self.change_claims: Callable[[Claims], object] | None = None
        self.sign: Callable[[Claims], str] = self._sign_with_own_key
        self.answers: dict[str, Answer] = {}
        self.changed_metadata: Claims = {}
        self.added_to_callback = ""
        self.requested: list[str] = []
        self.authorizations: list[str | None] = []
        self.rotate("k1", self.own_key)

    def rotate(self, kid: str, private_key: RSA.RsaKey | None = None) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey(key=private_key or generate_key(), kid=kid, alg="RS256", use="sig")
        self._make_pyop()

    def sign_with(self, private_key: RSA.RsaKey, kid: str, **header: Any) -> Callable[[Claims], str]:
        """Return what signs claims with a key. header: replaces entries of the header."""
        key, headers = SigningKey.import_key(private_key.export_key().decode()), {"alg": "RS256", "kid": kid, **header}
        # In ASCII, because half of a surrogate pair can only be sent as an escape.
        return lambda claims: jws.serialize_compact(headers, json.dumps(claims).encode("ascii"), key)

    def _make_pyop(self) -> None:
        state = AuthorizationState(HashBasedSubjectIdentifierFactory("salt"))
        client = {
            "redirect_uris": [f"{self.public_url}{CALLBACK}"],
            "response_types": ["code"],
            "client_secret": CLIENT_SECRET,
            "token_endpoint_auth_method": "client_secret_basic",
        }
        addresses = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
        }
        abilities = {
            "scopes_supported": ["openid", "profile", "email", "groups"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        encrypted = {name: address.replace("http:", "https:") for name, address in addresses.items()}
        people, scopes = Userinfo(self.users), {"groups": ["groups"]}
        self.pyop = Provider(self.key, encrypted | abilities, state, {CLIENT_ID: client}, people, extra_scopes=scopes)
        for name, address in addresses.items():  # pyop itself refuses http, on this machine too
            self.pyop.configuration_information[name] = address

    def sign_in(self, url: str) -> str:
        """Sign the user in as a browser that was sent to this address does. Returns the path that it comes back to."""
        response = requests.get(url, allow_redirects=False, timeout=60)
        assert response.status_code == 303, response.text
        back = response.headers["Location"]
        assert back.startswith(f"{self.public_url}{CALLBACK}?")
        return back.removeprefix(self.public_url) + self.added_to_callback

    def respond(self, handler: "_Handler", path: str, query: str, body: str) -> None:
        """Answer a request as pyop does, except for what the switches change."""
        headers = {"Authorization": handler.headers["Authorization"]} if "Authorization" in handler.headers else {}
        try:
            match path:
                case "/.well-known/openid-configuration":
                    handler.send_json(self.pyop.provider_configuration.to_dict() | self.changed_metadata)
                case "/jwks":
                    handler.send_json(self.pyop.jwks)
                case "/authorize":
                    request = self.pyop.parse_authentication_request(query)
                    redirect = self.pyop.authorize(request, self.user).request(request["redirect_uri"])
                    handler.redirect(redirect)
                case "/token":
                    self.authorizations.append(headers.get("Authorization"))
                    handler.send_json(self._change(self.pyop.handle_token_request(body, headers).to_dict()))
                case "/logout":
                    handler.redirect(dict(parse_qsl(query))["post_logout_redirect_uri"])
                case "/userinfo":
                    handler.send_json(self.pyop.handle_userinfo_request(query, headers).to_dict())
                case _:
                    handler.send_json({}, 404)
        except OAuthError as error:
            handler.send_json({"error": error.oauth_error, "error_description": "canary-description"}, 400)

    def _change(self, tokens: Claims) -> Claims:
        if self.change_claims is None:
            return tokens
        claims = jwt.decode(tokens["id_token"], KeySet([SigningKey.import_key(self.key.serialize())])).claims
        self.change_claims(claims)
        return tokens | {"id_token": self.sign(claims)}


class _Handler(BaseHTTPRequestHandler):
    provider: TestProvider
    body: str
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _answer(self, body: str) -> None:
        self.body, parts = body, urlsplit(self.path)
        self.provider.requested.append(parts.path)
        answer = self.provider.answers.get(parts.path)
        with suppress(ConnectionError):
            if answer:
                answer(self)
            else:
                self.provider.respond(self, parts.path, parts.query, body)

    def send_json(self, content: Any, status: int = 200) -> None:
        self.send_bytes(json.dumps(content).encode(), status, "application/json")

    def send_bytes(self, content: bytes, status: int = 200, media_type: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def redirect(self, url: str) -> None:
        self.send_bytes(b"", 303, Location=url)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def send_endlessly(handler: _Handler) -> None:
    """Announce 10 GB, and send them."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(10 * 1024**3))
    handler.end_headers()
    for _ in range(10 * 1024):
        handler.wfile.write(b" " * 1024**2)


def trickle(handler: _Handler) -> None:
    """Send a byte every now and then, so that no single wait is long."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        time.sleep(0.1)


def stay_silent(handler: _Handler) -> None:
    handler.provider.released.wait(60)


@contextmanager
def running_provider(public_url: str = PUBLIC_URL) -> Iterator[TestProvider]:
    """Run a provider until the end of the `with`. public_url: the origin of the installation that uses it."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with server:
        provider = TestProvider(server, generate_key(), public_url)
        handler.provider = provider  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        provider.released.set()
        server.shutdown()
