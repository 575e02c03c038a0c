"""Engines: the options of their connections, and the dialect that limits web requests."""

from typing import Any

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.dialects import registry

from webapp.database.certificate_authorities import find_authorities
from webapp.database.connection_pool import SharingPool
from webapp.database.sqlite import prepare_sqlite

# The most database connections of a process: one for each of gunicorn's threads. A worker's threads share them, because
# most of these threads wait for a receiver. On PostgreSQL, idle ones are given back.
CONNECTIONS = 8

# By name, so that an installation with SQLite does not import the client of PostgreSQL.
registry.register("postgresql.alertcheck", "webapp.database.postgres", "PostgresDialect")


def engine_url(database_url: str) -> URL:
    """Return the URL for SQLAlchemy, which selects our dialect for PostgreSQL."""
    url = make_url(database_url)
    return url.set(drivername="postgresql+alertcheck") if url.get_backend_name() == "postgresql" else url


def engine_options(database_url: str, ca_file: str | None = None) -> dict[str, Any]:
    """Return the options for `create_engine`. ca_file: the administrator's file of authorities, if there is one."""
    # hide_parameters: a database error must not quote a row.
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    options |= {"pool_size": CONNECTIONS, "max_overflow": 0}
    if database_url.startswith("postgresql"):
        options |= {"poolclass": SharingPool, "pool_use_lifo": True}
        options |= {"connect_args": connect_args(database_url, ca_file)}
    return options


def connect_args(database_url: str, ca_file: str | None) -> dict[str, Any]:
    """Return the options of each connection."""
    if not database_url.startswith("postgresql"):
        return {}
    # A server that accepts the connection and never responds must not block a worker forever (units: s, ms, s).
    limits = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
    # Without it, a database that knows no encoding (SQL_ASCII) would return bytes instead of texts.
    encoding = {"client_encoding": "utf8"}
    return limits | encoding | find_authorities(make_url(database_url).query, ca_file)


def prepare_engine(engine: Engine) -> None:
    """Register what each connection of an engine needs."""
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
