"""PostgreSQL: no call of a web request outlasts its limit, whatever the server does."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from psycopg import Column, Cursor
from psycopg.pq import TransactionStatus
from sqlalchemy import Select, literal_column, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from benchmarks.installation.servers import PostgresServer
from tests.frozen import frozen_postgres
from webapp.application import create_app
from webapp.database.outages import Outage, find_outage
from webapp.database.postgres import BEGIN_LIMITED, LeanCursor, LimitedConnection
from webapp.database.query_plans import PLAN_ONCE
from webapp.database.request_timeouts import CALL_LIMIT
from webapp.extensions import db
from webapp.models import database_clock
from webapp.settings import read_settings

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.fixture
def silent_ports() -> Iterator[str]:
    """Two ports that accept connections and never respond."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        yield f"{one.getsockname()[1]},{other.getsockname()[1]}"


def _fail(statement: str = "SELECT 1") -> tuple[float, OperationalError]:
    started = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        db.session.execute(text(statement))
    return time.monotonic() - started, caught.value


def test_several_addresses_that_never_respond_take_as_long_as_one(
    environment: dict[str, str], silent_ports: str
) -> None:
    url = f"postgresql://nobody@/none?host=127.0.0.1,127.0.0.1&port={silent_ports}"  # as a name with two addresses
    app = create_app(replace(read_settings(environment), database_url=url))

    with app.test_request_context():
        seconds, error = _fail()

    assert CALL_LIMIT - 0.1 < seconds < CALL_LIMIT + 1
    assert find_outage(error) is Outage.UNREACHABLE


@on_postgres
def test_a_request_waits_once_for_a_frozen_server(app: Flask, postgres: PostgresServer) -> None:
    with app.app_context():
        db.session.execute(text("SELECT 1"))
    with app.test_request_context(), frozen_postgres(postgres):
        seconds, _ = _fail()  # the ping of an open connection, then a new connection
        db.session.rollback()
        again, _ = _fail()

    assert CALL_LIMIT - 0.1 < seconds < CALL_LIMIT + 1
    assert again < 0.5


@on_postgres
def test_the_response_to_an_abandoned_statement_is_not_taken_for_another_ones(
    app: Flask, postgres: PostgresServer
) -> None:
    with app.test_request_context():
        db.session.execute(text("SELECT 1"))
        with frozen_postgres(postgres):
            _fail("SELECT 2")
    with app.test_request_context():
        assert db.session.execute(text("SELECT 3")).scalar_one() == 3


@on_postgres
def test_the_limits_of_a_request_hold_where_the_servers_clock_was_read_first(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_clock, "SAMPLE_INTERVAL", 0.0)

    with app.test_request_context():
        for _ in range(2):
            assert db.session.scalar(text("SHOW statement_timeout")) == "1800ms"
            db.session.rollback()


@on_postgres
def test_a_worker_waits_for_a_statement_as_long_as_it_takes(app: Flask) -> None:
    with app.app_context():
        assert db.session.execute(text("SELECT 4 FROM pg_sleep(2.5)")).scalar_one() == 4


def _collect_sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what is sent to the server from now on, but for the end of a transaction."""
    sent: list[str] = []
    execute = Cursor.execute

    def note(cursor: Cursor[Any], query: Any, *arguments: Any, **options: Any) -> Cursor[Any]:
        sent.append(query)
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(Cursor, "execute", note)
    return sent


@on_postgres
def test_the_ping_of_an_open_connection_begins_its_transaction(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.test_request_context():
        db.session.execute(text("SELECT 1"))
    sent = _collect_sent(monkeypatch)

    with app.test_request_context():
        db.session.execute(text("SELECT 2"))
        db.session.commit()
        db.session.execute(text("SELECT 3"))

    assert sent == [BEGIN_LIMITED, "SELECT 2", BEGIN_LIMITED, "SELECT 3"]


@on_postgres
def test_a_connection_that_was_not_used_returns_to_the_pool_outside_a_transaction(app: Flask) -> None:
    with app.app_context():
        for _ in range(2):
            connection = db.engine.raw_connection()
            driver: LimitedConnection = connection.driver_connection  # type: ignore[assignment]
            connection.close()
            assert driver.info.transaction_status is TransactionStatus.IDLE


@on_postgres
def test_a_statement_prepared_by_the_driver_works_in_every_transaction(app: Flask) -> None:
    with app.test_request_context():
        for _ in range(8):  # psycopg prepares a statement that it has seen five times
            assert db.session.execute(text("SELECT :number"), {"number": 5}).scalar_one() == 5
            db.session.commit()


def _execute_in_requests(app: Flask) -> None:
    """Execute two statements in several requests, of which one may be planned once."""
    for _ in range(8):
        with app.test_request_context():
            db.session.execute(text("SELECT 'planned once'").execution_options(**{PLAN_ONCE: True}))
            db.session.execute(text("SELECT 'planned anew'"))
            db.session.rollback()


def _list_prepared(app: Flask) -> list[str]:
    with app.app_context():
        statements = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
        return [statement for statement in statements if "planned" in statement]


@on_postgres
def test_a_request_prepares_only_what_may_be_planned_once_and_its_rollback_keeps_it(app: Flask) -> None:
    _execute_in_requests(app)

    assert _list_prepared(app) == ["SELECT 'planned once'"]


@on_postgres
def test_a_worker_keeps_what_is_prepared_where_the_servers_clock_is_read(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_clock, "SAMPLE_INTERVAL", 0.0)
    with app.app_context():
        for _ in range(8):
            db.session.execute(text("SELECT 'planned often'"))
            db.session.commit()

    assert _list_prepared(app) == ["SELECT 'planned often'"]


@on_postgres
def test_after_a_failed_statement_everything_is_prepared_again(app: Flask) -> None:
    _execute_in_requests(app)
    with app.test_request_context():
        with pytest.raises(DBAPIError):
            db.session.execute(text("SELECT 1 / 0"))
        db.session.rollback()

    assert _list_prepared(app) == []


@on_postgres
def test_without_a_pooler_the_driver_prepares_what_it_executes_often(app: Flask) -> None:
    with app.app_context():
        for _ in range(8):
            db.session.execute(text("SELECT :number"), {"number": 5}).scalar_one()
        assert db.session.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() > 0


@on_postgres
def test_a_result_has_the_columns_that_the_driver_describes(app: Flask) -> None:
    with app.app_context():
        cursor: Any = db.session.connection().connection.cursor()
        cursor.execute("SELECT 1 AS one, 'two'::varchar(5) AS two")

        drivers = super(LeanCursor, cursor).description
        assert list(map(tuple, cursor.description)) == list(map(tuple, drivers))
        assert [column.name for column in cursor.description[:-1]] == ["one"]
        assert cursor.description[-1].name == "two"


@on_postgres
@pytest.mark.parametrize(("statement", "columns"), [("SELECT", []), ("SET LOCAL work_mem = '1MB'", None)])
def test_a_result_without_columns_or_rows_is_described_as_by_the_driver(
    app: Flask, statement: str, columns: list[object] | None
) -> None:
    with app.app_context():
        cursor: Any = db.session.connection().connection.cursor()
        cursor.execute(statement)

        assert cursor.description == columns


@on_postgres
def test_the_columns_of_a_statement_are_described_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[int] = []

    def describe(cursor: Cursor[Any], number: int) -> Column:
        described.append(number)
        return Column(cursor, number)

    statement: Select[*tuple[Any, ...]] = select(
        literal_column("11").label("eleven"), literal_column("12").label("twelve")
    )

    with app.app_context():
        db.session.connection()
        monkeypatch.setattr("webapp.database.postgres.Column", describe)
        rows = [db.session.execute(statement).one() for _ in range(2)]

    assert [row.twelve for row in rows] == [12, 12]
    assert described == [0, 1]


@on_postgres
def test_a_request_ends_its_transaction_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.test_request_context():
        db.session.execute(text("SELECT 1"))
    exchanges: list[object] = []
    wait = LimitedConnection.wait

    def note(connection: LimitedConnection, exchange: Any, *arguments: Any) -> Any:
        exchanges.append(exchange)
        return wait(connection, exchange, *arguments)

    monkeypatch.setattr(LimitedConnection, "wait", note)

    with app.test_request_context():
        db.session.execute(text("SELECT 2"))

    assert len(exchanges) == len(["BEGIN", "SELECT 2", "ROLLBACK"])
