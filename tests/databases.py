"""Databases for tests: a copied SQLite file for each test, or a PostgreSQL database that tests reuse."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from benchmarks.installation.servers import (
    RUN,
    PostgresServer,
    create_database,
    drop_database,
    execute,
    find_given_server,
    url_of,
)
from webapp.extensions import Base

# The name of the connections that empty databases between two tests and stay open meanwhile.
APPLICATION = "between tests"


@contextmanager
def new_database(kind: str, request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    """Provide a migrated, empty database inside a `with`. kind: sqlite or postgres."""
    if kind == "sqlite":
        file = directory / "alertcheck.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgres")
    with _borrow(server, name_template()) as url:
        yield url


def name_template() -> str:
    """Return the name of this worker's migrated database that tests copy.

    Workers may share a server, and PostgreSQL copies only a database without connections.
    """
    return f"template_{os.getpid()}"


@contextmanager
def unmigrated_database(kind: str, request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    """Provide a database without any table inside a `with`. kind: sqlite or postgres."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'alertcheck.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{os.urandom(6).hex()}"
    yield create_database(server, name)
    drop_database(server, name)


@dataclass(frozen=True)
class Template:
    """A database that tests copy, made when the first test of a process needs it.

    fill: makes it, given its URL. base: what it is a copy of until then; without one, it has no table.
    """

    name: str
    fill: Callable[[str], None]
    base: "Template | None" = None


@contextmanager
def copied_database(template: Template, kind: str, request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    """Provide a copy of a template inside a `with`. kind: sqlite or postgres."""
    if kind == "sqlite":
        file = directory / "alertcheck.sqlite"
        shutil.copy(_make_file(template, request.getfixturevalue("sqlite_template").parent), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgres")
    copy = _copy(server, _make_on_server(template, server))
    yield url_of(server, copy)
    drop_database(server, copy)


def _make_file(template: Template, directory: Path) -> Path:
    """Return the file of a template, which is made if it is missing."""
    file = directory / f"{template.name}.sqlite"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        if template.base:
            shutil.copy(_make_file(template.base, directory), unfinished)
        template.fill(f"sqlite:///{unfinished}")
        unfinished.rename(file)
    return file


def _make_on_server(template: Template, server: PostgresServer) -> str:
    """Return the name of a template's database, which is made if it is missing."""
    name = f"{template.name}_{os.getpid()}"
    if name not in server.templates:
        drop_database(server, name)  # an unfinished one
        base = _make_on_server(template.base, server) if template.base else None
        template.fill(create_database(server, name, base))
        server.templates.append(name)
    return name


@contextmanager
def _borrow(server: PostgresServer, template: str) -> Iterator[str]:
    """Provide an empty copy of a database inside a `with`. Emptying one takes a twentieth of the time of a new copy."""
    name = server.spare.pop() if server.spare else _copy(server, template)
    try:
        yield url_of(server, name)
    finally:
        if _can_be_emptied(server, name):
            server.spare.append(name)
        else:
            _close(name)
            drop_database(server, name)


def _copy(server: PostgresServer, template: str) -> str:
    name = f"{template}_{os.urandom(4).hex()}"
    create_database(server, name, template)
    return name


def _can_be_emptied(server: PostgresServer, name: str) -> bool:
    with suppress(psycopg.errors.UndefinedTable):  # a test dropped it
        try:
            _empty(_connect(server, name))
        except psycopg.OperationalError:  # a test ended the connection
            _close(name)
            _empty(_connect(server, name))
        return True
    return False


# By the name of the database. A new connection would first read the catalog, which takes longer than all the rest.
_connections: dict[str, psycopg.Connection] = {}


def _connect(server: PostgresServer, name: str) -> psycopg.Connection:
    if name not in _connections:
        url = make_url(url_of(server, name)).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True, application_name=APPLICATION, prepare_threshold=None)
        connection.execute("SET session_replication_role = replica")  # disables triggers and foreign keys
        _connections[name] = connection
    return _connections[name]


def close_connections() -> None:
    """Close the connections that stay open between tests."""
    for name in list(_connections):
        _close(name)


def _close(name: str) -> None:
    if connection := _connections.pop(name, None):
        connection.close()


def _empty(connection: psycopg.Connection) -> None:
    """Remove all rows but the schema version, and end the connections of other clients first."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    if connection.execute(_HAS_LARGE_TABLE).fetchone():
        connection.execute(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY".encode())
        return
    checks = (f"SELECT 'DELETE FROM {table}' WHERE EXISTS (SELECT FROM {table})" for table in Base.metadata.tables)
    for (deletion,) in connection.execute(" UNION ALL ".join(checks).encode()).fetchall():
        connection.execute(deletion)
    connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")


# Truncating makes new files for every table and index. A test uses few tables and adds few rows: deleting those is
# faster. A table with more than a page, or with statistics, could let the next test see another order or plan.
_HAS_LARGE_TABLE = """
    SELECT FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND (relpages > 0 OR reltuples >= 0 OR pg_relation_size(oid) > 8192)
"""


def list_databases(server: PostgresServer) -> list[str]:
    """Return the names of all databases of a server."""
    return [str(name) for name in execute(server.url, "SELECT datname FROM pg_database ORDER BY datname")]


def drop_databases_of_this_run() -> None:
    """Drop this run's databases from an existing server, including those that a test could not drop."""
    server = find_given_server()
    if server:
        for name in filter(lambda name: name.startswith(RUN), list_databases(server)):
            execute(server.url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
