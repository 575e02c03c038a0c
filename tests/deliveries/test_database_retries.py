"""A worker tries again while the database has no free connection, for a while."""

import time
from collections.abc import Iterator
from threading import Timer

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.database_role import DatabaseRole, database_role
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination
from webapp.application import create_app
from webapp.deliveries import request_test, send
from webapp.deliveries.database_retries import retry
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, database_clock
from webapp.settings import read_settings

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.fixture
def role(database_url: str) -> Iterator[DatabaseRole]:
    with database_role(database_url) as role:
        yield role


@pytest.fixture
def delivery_id(app: Flask, seeded: SeededIds) -> int:
    with app.app_context():
        return request_test(get_destination(seeded), get_account(seeded), database_clock.now())


@pytest.fixture
def worker(environment: dict[str, str], role: DatabaseRole) -> Iterator[Flask]:
    """The application of a process whose database has no free connection."""
    role.alter("CONNECTION LIMIT 0")
    worker = create_app(read_settings(environment | {"DATABASE_URL": role.url}))
    yield worker
    with worker.app_context():
        db.engine.dispose()


def test_a_delivery_is_sent_as_soon_as_there_is_a_free_connection(
    app: Flask, worker: Flask, role: DatabaseRole, delivery_id: int, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    freed = Timer(1, role.alter, ["CONNECTION LIMIT -1"])
    freed.start()

    with worker.app_context():
        send(delivery_id, worker.extensions["alertcheck"].settings)
    freed.join()

    with app.app_context():
        assert db.session.get_one(AlertDelivery, delivery_id).status is DeliveryStatus.SENT
    assert len(httpserver.log) == 1


def test_a_worker_gives_up_in_time_and_leaves_the_row_to_recovery(
    app: Flask, worker: Flask, delivery_id: int, httpserver: HTTPServer
) -> None:
    started = time.monotonic()

    with worker.app_context(), pytest.raises(OperationalError):
        send(delivery_id, worker.extensions["alertcheck"].settings)

    assert time.monotonic() - started < 8
    assert httpserver.log == []
    with app.app_context():
        row = db.session.get_one(AlertDelivery, delivery_id)
        assert (row.status, row.attempt_started_at) == (DeliveryStatus.QUEUED, None)


@pytest.mark.usefixtures("context")
def test_another_error_is_raised_at_once() -> None:
    def fail() -> None:
        raise ValueError

    started = time.monotonic()

    with pytest.raises(ValueError):  # noqa: PT011
        retry(fail, time.monotonic() + 60)

    assert time.monotonic() - started < 5


def test_a_mistake_of_this_program_is_not_tried_again(app: Flask) -> None:
    tries = []

    def insert_twice() -> None:
        tries.append(1)
        db.session.execute(text("INSERT INTO workspaces (id, slug) VALUES (1, NULL)"))

    with app.app_context(), pytest.raises(IntegrityError):
        retry(insert_twice, time.monotonic() + 5)

    assert len(tries) == 1
