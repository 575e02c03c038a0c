"""What a provider publishes about itself: its endpoints, and what it can do (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.urls import Origin, Target, read_url
from webapp.settings.single_sign_on import is_loopback
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

# What a token may be signed with: keys of which only the provider has the secret half. Never none, nor a secret that
# both sides share (HS256).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")

_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True)
class Metadata:
    """A provider's endpoints.

    userinfo, end_session: None if it has no such endpoint. auth_method: how it wants to get the client's secret.
    names_issuer: whether it names itself in every redirect (RFC 9207). scopes: those that it lists.
    origins: those of all endpoints that Alertcheck itself asks, and of the issuer.
    """

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    auth_method: str
    names_issuer: bool
    scopes: frozenset[str]
    can_sign: bool
    origins: frozenset[Origin]


def read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Read the document of this issuer. Raises `SignOnRefused` with other_issuer or unusable_response."""
    if document.get("issuer") != issuer:
        raise SignOnRefused(Refusal.OTHER_ISSUER)
    own = read_url(issuer)
    token, keys = _read_endpoint(document, "token_endpoint", own), _read_endpoint(document, "jwks_uri", own)
    userinfo = _read_optional(document, "userinfo_endpoint", own)
    algorithms = _read_list(document, "id_token_signing_alg_values_supported")
    return Metadata(
        authorization=_read_endpoint(document, "authorization_endpoint", own),
        token=token,
        keys=keys,
        userinfo=userinfo,
        end_session=_read_optional(document, "end_session_endpoint", own),
        auth_method=_choose_auth_method(_read_list(document, "token_endpoint_auth_methods_supported")),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        scopes=_read_list(document, "scopes_supported"),
        can_sign=not algorithms or not algorithms.isdisjoint(ALGORITHMS),
        origins=frozenset({own.origin, *(read_url(url).origin for url in (token, keys, userinfo) if url)}),
    )


def _read_optional(document: Mapping[str, Any], name: str, issuer: Target) -> str | None:
    return None if document.get(name) is None else _read_endpoint(document, name, issuer)


def _read_endpoint(document: Mapping[str, Any], name: str, issuer: Target) -> str:
    """Return an address that is encrypted, or on this machine like the issuer."""
    try:
        target = read_url(str(document.get(name)))
    except DeliveryFailed:
        raise SignOnRefused(Refusal.UNUSABLE_RESPONSE) from None
    if target.scheme != "https" and not (issuer.scheme == "http" and is_loopback(target)):
        raise SignOnRefused(Refusal.UNUSABLE_RESPONSE)
    return target.url


def _choose_auth_method(supported: frozenset[str]) -> str:
    """Return the default method (Discovery, section 3), unless the provider supports only the other one."""
    return _POST if _POST in supported and _BASIC not in supported else _BASIC


def _read_list(document: Mapping[str, Any], name: str) -> frozenset[str]:
    values = document.get(name)
    return frozenset(value for value in values if isinstance(value, str)) if isinstance(values, list) else frozenset()
