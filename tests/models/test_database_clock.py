"""The database's clock: the host's own clock, however wrong, dates nothing on PostgreSQL."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from tests.factories import NOW, SeededIds, get_destination, seconds
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.extensions import db
from webapp.models import database_clock
from webapp.models.database_clock import DatabaseClock
from webapp.settings import read_settings

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def _read_server_time() -> datetime:
    server_time = db.session.scalar(select(func.clock_timestamp()))
    assert isinstance(server_time, datetime)
    return server_time


def _is_close(one: datetime, other: datetime) -> bool:
    return abs(one - other) < seconds(5)


@on_postgres
@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("ahead", [seconds(150), seconds(-150), timedelta(days=400)])
def test_a_host_whose_clock_is_wrong_uses_the_servers_time(ahead: timedelta) -> None:
    with time_machine.travel(datetime.now(UTC) + ahead):
        assert _is_close(database_clock.now(), _read_server_time())


@on_postgres
@pytest.mark.usefixtures("context")
def test_setting_the_hosts_clock_does_not_move_the_time() -> None:
    before = database_clock.now()

    with time_machine.travel(before + timedelta(days=1)):
        assert _is_close(database_clock.now(), before)


@on_postgres
def test_a_press_on_a_host_that_is_ahead_is_dated_by_the_server(app: Flask, seeded: SeededIds) -> None:
    visitor = Visitor.signed_in(app, seeded.admin)

    with time_machine.travel(datetime.now(UTC) + seconds(150)):
        assert visitor.post(f"/w/harbor/destinations/{seeded.destination}/test").status_code == 200

    with app.app_context():
        newest = find_newest_test(get_destination(seeded))
        assert newest is not None
        assert _is_close(newest.created_at, _read_server_time())
        assert _is_close(datetime.fromisoformat(newest.payload["requested_at"]), _read_server_time())


@on_postgres
def test_the_servers_clock_is_read_at_most_once_a_second(app: Flask) -> None:
    elapsed = 0.0
    clock = DatabaseClock(lambda: elapsed)
    with app.app_context():
        clock.follow(db.engine)
        first = clock.now()
        _take_connection_later()
        assert clock.estimate() == first

        elapsed = 1.0
        _take_connection_later()

        assert seconds(0.1) < clock.estimate() - first < seconds(5)


def _take_connection_later() -> None:
    """Take a connection from the pool after 0.2 s."""
    db.session.remove()
    time.sleep(0.2)
    db.session.connection()


@on_postgres
@pytest.mark.usefixtures("context")
def test_reading_the_clock_leaves_a_connection_that_rolls_back(app: Flask) -> None:
    app_state().clock = clock = DatabaseClock(lambda: 0.0)
    clock.follow(db.engine)
    clock.now()
    db.session.execute(text("CREATE TABLE made_in_a_transaction ()"))
    db.session.rollback()

    assert db.session.scalar(text("SELECT to_regclass('made_in_a_transaction')")) is None


@on_postgres
def test_the_time_costs_no_statement_of_its_own(
    seeded: SeededIds, context: None, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    database_clock.now()

    with count_queries() as statements:
        database_clock.now()
        database_clock.estimate()

    assert statements == []


@pytest.mark.usefixtures("context")
def test_on_sqlite_the_time_is_the_hosts() -> None:
    with time_machine.travel(NOW, tick=False):
        assert database_clock.now() == database_clock.estimate() == NOW


def test_without_a_database_the_time_raises_its_error_and_an_estimate_is_the_hosts(environment: dict[str, str]) -> None:
    nowhere = environment | {"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/alerts"}
    with create_app(read_settings(nowhere)).app_context(), time_machine.travel(NOW, tick=False):
        assert database_clock.estimate() == NOW
        with pytest.raises(OperationalError):
            database_clock.now()
