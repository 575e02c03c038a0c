"""Checks what follows the question mark in the URLs of the database and the queue server.

Each function raises ValueError with the rest of a sentence about the setting, which never quotes a value.
"""

import os
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qs

from webapp.environment.url_parts import UrlParts

# By name, so that an installation with SQLite does not import the client of PostgreSQL.
_POSTGRES_CLIENT = "psycopg.pq"
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
# Of SQLite, and of its file names that are URIs.
_SQLITE_PARAMETERS = frozenset({"timeout", "uri"})
_SQLITE_URI_PARAMETERS = frozenset({"cache", "immutable", "mode", "nolock", "psow", "vfs"})
# What a value looks like, and the words for it.
_SECONDS = re.compile(r"(?=.*[1-9])[0-9]{1,4}(\.[0-9]{1,3})?"), "a number of seconds, such as 5"
_NUMBER = re.compile(r"[0-9]{1,5}"), "a number"
_FLAG = re.compile("true|false|yes|no|1|0", re.IGNORECASE), "true or false"
_TEXT = re.compile(r"[!-~]*"), "text in ASCII without blanks"
_ANY = re.compile(".*"), "text in one line"
_FILE = re.compile(r"[^\x00-\x1f]+"), "the path of a file"

# The parameters of the queue's client that make sense in a URL. It would take any text for a flag.
_QUEUE_PARAMETERS = {
    "db": _NUMBER,
    "client_name": _TEXT,
    "health_check_interval": _NUMBER,
    "protocol": (re.compile("[23]"), "2 or 3"),
    "password": _ANY,
    "username": _ANY,
    "socket_timeout": _SECONDS,
    "socket_connect_timeout": _SECONDS,
    "socket_keepalive": _FLAG,
    "retry_on_timeout": _FLAG,
}
_QUEUE_TLS_FILES = {"ssl_ca_certs": _FILE, "ssl_certfile": _FILE, "ssl_keyfile": _FILE}
_QUEUE_TLS = {
    **_QUEUE_TLS_FILES,
    "ssl_cert_reqs": (re.compile("none|optional|required"), "required, optional or none"),
    "ssl_check_hostname": _FLAG,
}

Query = Mapping[str, Sequence[str]]


def read_query(parts: UrlParts) -> dict[str, list[str]]:
    """Return the values of each parameter."""
    return parse_qs(parts.query, keep_blank_values=True)


def check_sqlite_parameters(query: Query) -> None:
    is_uri = query.get("uri") == ("true",)
    if not query.keys() <= _SQLITE_PARAMETERS | (_SQLITE_URI_PARAMETERS if is_uri else frozenset()):
        raise ValueError("has a parameter after the question mark that has no effect there. Remove it.")
    _check_values(query, {"timeout": _SECONDS})


def check_postgres_parameters(query: Query) -> None:
    known = {option.keyword.decode() for option in import_module(_POSTGRES_CLIENT).Conninfo.get_defaults()}
    if not query.keys() <= known:
        raise ValueError(
            "has a parameter after the question mark that PostgreSQL's client does not know. To encrypt the "
            "connection, write ?sslmode=require."
        )
    if not set(query.get("sslmode", [])) <= _SSL_MODES:
        raise ValueError(f"has a value of sslmode that is none of {', '.join(sorted(_SSL_MODES))}.")
    _check_values(query, {"port": _NUMBER})


def check_queue_parameters(scheme: str, query: Query) -> None:
    """Check the parameters of the queue server. The files of TLS have to be readable here."""
    if query.keys() & _QUEUE_TLS.keys() and scheme != "rediss":
        raise ValueError("has a parameter for TLS, which needs rediss://.")
    if not query.keys() <= _QUEUE_PARAMETERS.keys() | _QUEUE_TLS.keys():
        raise ValueError("has a parameter after the question mark that Alertcheck does not know. See docs/settings.md.")
    _check_values(query, _QUEUE_PARAMETERS | _QUEUE_TLS)
    for name in sorted(query.keys() & _QUEUE_TLS_FILES.keys()):
        if not all(_is_readable(path) for path in query[name]):
            raise ValueError(f"names a file in {name} that does not exist here, or that Alertcheck may not read.")


def _check_values(query: Query, forms: Mapping[str, tuple[re.Pattern[str], str]]) -> None:
    for name, (form, words) in forms.items():
        if not all(form.fullmatch(value) for value in query.get(name, ())):
            raise ValueError(f"has a value of {name} that is not {words}.")


def _is_readable(path: str) -> bool:
    return os.access(path, os.R_OK) and Path(path).is_file()
