"""Reads Alertmanager's `http_config`: how a webhook's requests are authenticated, and what is left out.

Source: prometheus.io, "Alerting configuration", `<http_config>`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from webapp.imports.file_values import Node, get_list, get_mapping, get_text
from webapp.imports.headers import add_authorization, add_header
from webapp.imports.left_out_sentences import OAUTH
from webapp.imports.placeholders import HIDDEN
from webapp.imports.receiver_draft import Draft

_CONNECTION = "Proxy and TLS settings are left out: your Alertcheck administrator sets them for everyone."

_LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "tls_config": _CONNECTION,
        "proxy_url": _CONNECTION,
        "proxy_from_environment": _CONNECTION,
        "proxy_connect_header": _CONNECTION,
        "no_proxy": _CONNECTION,
        "oauth2": OAUTH,
    }
)
_CREDENTIALS = ("authorization", "basic_auth", "bearer_token", "bearer_token_file", "http_headers")


def read_http_config(draft: Draft, config: Mapping[str, Node]) -> None:
    """Add the authentication and the headers of a webhook to its draft."""
    _read_basic(draft, get_mapping(config.get("basic_auth")))
    _read_authorization(draft, get_mapping(config.get("authorization")))
    draft.put("bearer_token", get_value(config, "bearer_token"))
    _read_headers(draft, get_mapping(config.get("http_headers")))


def note_connection(draft: Draft, config: Mapping[str, Node]) -> None:
    """Say what is left out of a connection's settings."""
    for key, sentence in _LEFT_OUT.items():
        if config.get(key) not in (None, "", "false", {}):
            draft.note(sentence)


def note_credentials(draft: Draft, config: Mapping[str, Node]) -> None:
    """Say that a receiver that is not a webhook loses its credentials."""
    if any(config.get(key) for key in _CREDENTIALS):
        draft.note("The headers and credentials in http_config are left out: only a webhook has them.")


def get_value(config: Mapping[str, Node], key: str) -> Node:
    """Return the value of a key, which may be in a file of its own: then it is a reference."""
    return config.get(key) or (HIDDEN if config.get(f"{key}_file") else None)


def _read_basic(draft: Draft, basic: Mapping[str, Node]) -> None:
    draft.put("basic_user", get_value(basic, "username"))
    draft.put("basic_password", get_value(basic, "password"))


def _read_authorization(draft: Draft, authorization: Mapping[str, Node]) -> None:
    add_authorization(draft, get_text(authorization.get("type")), get_value(authorization, "credentials"))


def _read_headers(draft: Draft, headers: Mapping[str, Node]) -> None:
    for name, value in headers.items():
        for text in _list_values(get_mapping(value)):
            add_header(draft, name, text)


def _list_values(header: Mapping[str, Node]) -> Iterator[str]:
    for key in ("values", "secrets"):
        yield from map(get_text, get_list(header.get(key)))
    yield from ("" for _ in get_list(header.get("files")))
