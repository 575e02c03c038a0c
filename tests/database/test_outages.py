"""Why the database cannot be used, from errors that real servers raise."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from webapp.application import create_app
from webapp.database.outages import Outage, find_outage
from webapp.extensions import db
from webapp.settings import read_settings

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)

Fail = Callable[[str], SQLAlchemyError]


@pytest.fixture
def fail(context: None) -> Fail:
    """Execute a statement that fails, and return the error."""

    def execute(statement: str) -> SQLAlchemyError:
        with pytest.raises(SQLAlchemyError) as caught:
            db.session.execute(text(statement))
        db.session.rollback()
        return caught.value

    return execute


@on_postgres
@pytest.mark.parametrize(
    ("sqlstate", "outage"),
    [
        ("25006", Outage.READ_ONLY),
        ("53100", Outage.FULL),
        ("42P01", Outage.NOT_MIGRATED),
        ("42703", Outage.NOT_MIGRATED),
        ("40P01", Outage.BUSY),
        ("40001", Outage.BUSY),
        ("53200", Outage.BUSY),
        ("53300", Outage.BUSY),
        ("55P03", Outage.BUSY),
        ("57014", Outage.BUSY),
        ("57P01", Outage.UNREACHABLE),
        ("57P02", Outage.UNREACHABLE),
        ("57P03", Outage.UNREACHABLE),
        ("58030", Outage.UNREACHABLE),
        ("XX001", Outage.UNREACHABLE),
        ("23505", None),
        ("22021", None),
        ("42601", None),
    ],
)
def test_postgresqls_error_codes_name_the_outage(fail: Fail, sqlstate: str, outage: Outage | None) -> None:
    error = fail(f"DO $$ BEGIN RAISE EXCEPTION 'read-only, disk full' USING ERRCODE = '{sqlstate}'; END $$")

    assert find_outage(error) is outage


@on_postgres
def test_a_read_only_transaction_of_postgresql_is_an_outage(fail: Fail) -> None:
    error = fail("SET TRANSACTION READ ONLY; DELETE FROM workspaces")

    assert find_outage(error) is Outage.READ_ONLY


@on_postgres
def test_an_ended_connection_to_postgresql_is_an_outage(fail: Fail) -> None:
    assert find_outage(fail("SELECT pg_terminate_backend(pg_backend_pid())")) is Outage.UNREACHABLE


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/none",
        "postgresql://nobody@localhost:1/none",
        "sqlite:////nowhere/at/all.sqlite",
    ],
)
def test_a_database_that_cannot_be_opened_is_an_outage(environment: dict[str, str], url: str) -> None:
    app = create_app(read_settings(environment | {"DATABASE_URL": url}))

    with app.app_context(), pytest.raises(SQLAlchemyError) as caught:
        db.session.execute(text("SELECT 1"))

    assert find_outage(caught.value) is Outage.UNREACHABLE


@pytest.mark.parametrize(
    ("query", "statement", "outage"),
    [
        ("mode=ro&", "DELETE FROM workspaces", Outage.READ_ONLY),
        ("", "SELECT * FROM missing", Outage.NOT_MIGRATED),
        ("", "SELECT missing FROM workspaces", Outage.NOT_MIGRATED),
        ("", "INSERT INTO workspaces (id, slug, name, created_at) VALUES (1, NULL, 'x', 'x')", None),
    ],
)
def test_sqlites_error_codes_name_the_outage(
    database_url: str, query: str, statement: str, outage: Outage | None
) -> None:
    file = make_url(database_url).database
    engine = create_engine(f"sqlite:///file:{file}?{query}uri=true", poolclass=NullPool)

    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text(statement))

    assert find_outage(caught.value) is outage


def test_a_locked_sqlite_file_is_busy(database_url: str, fail: Fail) -> None:
    db.session.execute(text("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(str(make_url(database_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert find_outage(fail("DELETE FROM workspaces")) is Outage.BUSY


def test_a_file_that_is_no_database_is_an_outage(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite"
    file.write_bytes(b"not a database" * 1000)
    app = create_app(read_settings(environment | {"DATABASE_URL": f"sqlite:///{file}"}))

    with app.app_context(), pytest.raises(SQLAlchemyError) as caught:
        db.session.execute(text("SELECT 1 FROM workspaces"))

    assert find_outage(caught.value) is Outage.UNREACHABLE


def test_another_exception_is_no_outage() -> None:
    assert find_outage(ValueError("the database is locked")) is None
