"""Reads the URLs of the database and the queue server, in the forms that administrators and platforms write."""

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.environment.url_parameters import (
    check_postgres_parameters,
    check_queue_parameters,
    check_sqlite_parameters,
    read_query,
)
from webapp.environment.url_parts import ENCODE, UrlParts, find_scheme, split_url

# The schemes that lead to the same driver. Heroku, Render and others write postgres://, old programs psycopg2.
_POSTGRES = frozenset({"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgres+psycopg2"})
_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})
_QUEUE = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}

_NUMBER = re.compile(r"[0-9]{1,5}")

_WHOLE_PATH = (
    "has to name a file by its whole path, with four slashes: sqlite:////var/lib/alertcheck/alertcheck.sqlite."
)


def read_database_url(url: str) -> str:
    """Return the URL of a database that this program can use. Raises ValueError with the rest of a sentence."""
    scheme = find_scheme(url)
    if scheme in _SQLITE:
        return _read_sqlite_url("sqlite" + url[len(scheme) :])
    if scheme not in _POSTGRES:
        raise ValueError(_describe_database_schemes(scheme))
    try:
        parts = split_url(url)
    except ValueError as reason:
        advice = " With compose.yaml, generate POSTGRES_PASSWORD like SECRET_KEY." if ENCODE in str(reason) else ""
        raise ValueError(f"{reason}{advice}") from None
    _check_database(parts)
    return _rewrite(parts, "postgresql")


def _describe_database_schemes(scheme: str) -> str:
    if scheme.startswith(("postgres+", "postgresql+")):
        return "has to begin with postgresql://, without the name of a driver: Alertcheck has its own."
    return "has to begin with postgresql:// or sqlite:///."


def _read_sqlite_url(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(_WHOLE_PATH) from None
    if not _is_file(parsed):
        raise ValueError(f"{_WHOLE_PATH} A database in memory cannot be shared between processes.")
    if not str(parsed.database).removeprefix("file:").startswith("/"):
        raise ValueError(_WHOLE_PATH)
    check_sqlite_parameters(parsed.normalized_query)
    return url


def _is_file(url: URL) -> bool:
    """Check that an SQLite database is a file. Each process would have its own database in memory."""
    is_in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    return not (url.host or is_in_memory)


def _check_database(parts: UrlParts) -> None:
    query = read_query(parts)
    hosts = [parts.host, *(host for value in query.get("host", []) for host in value.split(","))]
    if len([host for host in hosts if host]) > 1 or len(query.get("port", [])) > 1:
        raise ValueError("names several hosts. Give one name or address that always leads to the primary server.")
    if "/" in parts.path[1:]:
        raise ValueError("has to end with the name of the database, as in postgresql://user:password@host/name.")
    check_postgres_parameters(query)


def read_queue_url(url: str) -> str:
    """Return the URL of a queue server that this program can use. Raises ValueError with the rest of a sentence."""
    scheme = find_scheme(url)
    if scheme not in _QUEUE:
        raise ValueError("has to begin with redis:// or rediss:// or unix://.")
    parts = split_url(url)
    if parts.user_info is not None and parts.password is None:
        raise ValueError(
            "has a user name without a password. Without a user name, write redis://:password@host:6379/0."
        )
    check_queue_parameters(_QUEUE[scheme], read_query(parts))
    if scheme == "unix":
        _check_socket(parts)
    elif not parts.host:
        raise ValueError("names no host, as in redis://host:6379/0.")
    elif parts.path.strip("/") and not _NUMBER.fullmatch(parts.path[1:]):
        raise ValueError("has to end with the number of a database, as in redis://host:6379/0.")
    return _rewrite(parts, _QUEUE[scheme])


def list_database_hosts(url: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts that PostgreSQL's client may connect to; none for SQLite and for sockets of this machine.

    environ: the client reads its own variables. Raises ValueError with the rest of a sentence
    about a setting that needs the hosts, if a service file names them.
    """
    if find_scheme(url) not in _POSTGRES:
        return ()
    parts = split_url(url)
    query = read_query(parts)
    if "service" in query or environ.get("PGSERVICE"):
        raise ValueError("needs the host of the database, which a service file names. Write it into DATABASE_URL.")
    given = [parts.host, *query.get("host", ()), *query.get("hostaddr", ())]
    texts = [*given, environ.get("PGHOST", ""), environ.get("PGHOSTADDR", "")]
    return _list_hosts(host for text in texts for host in text.split(","))


def list_server_hosts(url: str) -> tuple[str, ...]:
    """Return the host of a queue or mail server; none for a socket."""
    return _list_hosts([split_url(url).host])


def _list_hosts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts of the network, without the brackets of IPv6 and without a port."""
    hosts = (text.strip() for text in texts)
    named = (host for host in hosts if host and not host.startswith(("/", "@")))
    plain = (host.partition(":")[0] if host.count(":") == 1 else host.strip("[]") for host in named)
    return tuple(dict.fromkeys(plain))


def _check_socket(parts: UrlParts) -> None:
    if parts.host or not parts.path.strip("/"):
        raise ValueError("has to name a socket by its whole path, with three slashes: unix:///run/valkey/valkey.sock.")


def _rewrite(parts: UrlParts, scheme: str) -> str:
    """Return the URL with another scheme. The clients read the rest as it is."""
    return f"{scheme}://{parts.text.partition('://')[2]}"
