"""Reads Alertmanager's `http_config`: how a webhook's requests are authenticated, and what is left out.

Source: prometheus.io, "Alerting configuration", `<http_config>`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from webapp.imports.draft import Draft
from webapp.imports.nodes import Node, get_list, get_mapping, get_text
from webapp.imports.references import is_reference

_CONNECTION = "Proxy and TLS settings are left out: your Alertcheck administrator sets them for everyone."
_OAUTH = "OAuth 2.0 is left out: Alertcheck sends a fixed token, or a user and a password."

_LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "tls_config": _CONNECTION,
        "proxy_url": _CONNECTION,
        "proxy_from_environment": _CONNECTION,
        "proxy_connect_header": _CONNECTION,
        "no_proxy": _CONNECTION,
        "oauth2": _OAUTH,
    }
)
_CREDENTIALS = ("authorization", "basic_auth", "bearer_token", "bearer_token_file", "http_headers")


def read_http_config(draft: Draft, config: Mapping[str, Node]) -> None:
    """Add the authentication and the headers of a webhook to its draft."""
    note_connection(draft, config)
    _read_basic(draft, get_mapping(config.get("basic_auth")))
    _read_authorization(draft, get_mapping(config.get("authorization")))
    put_or_miss(draft, "bearer_token", config, "bearer_token")
    _read_headers(draft, get_mapping(config.get("http_headers")))


def note_connection(draft: Draft, config: Mapping[str, Node]) -> None:
    """Say what is left out of a connection's settings."""
    for key, sentence in _LEFT_OUT.items():
        if config.get(key) not in (None, "", "false", {}):
            draft.note(sentence)


def note_credentials(draft: Draft, config: Mapping[str, Node]) -> None:
    """Say that a receiver which is no webhook loses its credentials."""
    if any(config.get(key) for key in _CREDENTIALS):
        draft.note("The headers and credentials in http_config are left out: only a webhook has them.")


def put_or_miss(draft: Draft, name: str, config: Mapping[str, Node], key: str) -> None:
    """Set a field from a key, or mark it as missing if the file names another file for it."""
    draft.put(name, config.get(key))
    if name not in draft.settings and f"{key}_file" in config:
        draft.missing.add(name)


def _read_basic(draft: Draft, basic: Mapping[str, Node]) -> None:
    put_or_miss(draft, "basic_user", basic, "username")
    put_or_miss(draft, "basic_password", basic, "password")


def _read_authorization(draft: Draft, authorization: Mapping[str, Node]) -> None:
    kind = get_text(authorization.get("type")) or "Bearer"
    if kind.lower() == "bearer":
        put_or_miss(draft, "bearer_token", authorization, "credentials")
    elif authorization:
        add_header(draft, "Authorization", get_text(authorization.get("credentials")), f"{kind} ")


def _read_headers(draft: Draft, headers: Mapping[str, Node]) -> None:
    for name, value in headers.items():
        for text in _list_values(get_mapping(value)):
            add_header(draft, name, text)


def _list_values(header: Mapping[str, Node]) -> Iterator[str]:
    for key in ("values", "secrets"):
        yield from map(get_text, get_list(header.get(key)))
    yield from ("" for _ in get_list(header.get("files")))


def add_header(draft: Draft, name: str, value: str, prefix: str = "") -> None:
    """Add a line to the headers. Without its value the headers are missing, and the others are kept."""
    if not value or is_reference(value):
        draft.missing.add("headers")
    else:
        line = f"{name.strip()}: {prefix}{value}".replace("\n", " ")
        draft.settings["headers"] = "\n".join(filter(None, (draft.settings.get("headers"), line)))
