"""The end of a request: a connection that died changes nothing about what the request has done."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from benchmarks.installation.servers import execute
from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp import queue
from webapp.database.postgres import PostgresDialect
from webapp.database.request_slots import MAX_REQUESTS, TooManyRequests
from webapp.database.sessions import read_again_if_disconnected
from webapp.extensions import db
from webapp.models import AlertDelivery

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

LIST = "/w/harbor/destinations"
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def end_connections(database_url: str) -> Callable[[], object]:
    """End every connection to the database, as its restart does."""
    return partial(execute, database_url, END_CONNECTIONS)


def test_a_connection_that_dies_after_the_response_does_not_replace_the_response(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor], end_connections: Callable[[], object]
) -> None:
    visitor = visit(seeded.admin)

    @app.after_request
    def die(response: Response) -> Response:
        end_connections()
        return response

    assert visitor.get(LIST).status_code == 200
    assert visitor.get(LIST).status_code == 200


def test_a_press_whose_connection_dies_after_the_commit_shows_that_it_is_pending(
    seeded: SeededIds,
    visit: Callable[[int], Visitor],
    end_connections: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visitor, enqueue = visit(seeded.admin), queue.enqueue_deliveries

    def die_and_enqueue(*delivery_ids: int) -> None:
        end_connections()
        enqueue(*delivery_ids)

    monkeypatch.setattr(queue, "enqueue_deliveries", die_and_enqueue)

    response = visitor.post(f"{LIST}/{seeded.destination}/test")

    assert (response.status_code, 'data-last-test="pending"' in response.text) == (200, True)


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        (f"{LIST}/1/test", "webapp.views.presses.load_status"),
        ("/w/harbor/test-all", "webapp.views.batches.load_batch_status"),
    ],
)
def test_a_press_whose_connection_dies_while_its_fragment_is_read_shows_the_fragment(
    seeded: SeededIds,
    visit: Callable[[int], Visitor],
    end_connections: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    reader: str,
) -> None:
    visitor = visit(seeded.admin)

    def die(*_: object) -> None:
        monkeypatch.undo()
        db.session.execute(text("SELECT 1"))
        end_connections()
        db.session.execute(text("SELECT 1"))

    monkeypatch.setattr(reader, die)

    response = visitor.post(path)

    assert response.status_code == 200
    assert re.search('data-last-test="pending"|id="batch"', response.text)


@pytest.mark.parametrize(("is_committed", "status", "rows"), [(True, 200, 1), (False, 503, 0)])
def test_a_press_whose_commit_is_not_confirmed_is_pending_if_it_was_committed(
    app: Flask,
    seeded: SeededIds,
    visit: Callable[[int], Visitor],
    end_connections: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    is_committed: bool,
    status: int,
    rows: int,
) -> None:
    visitor = visit(seeded.admin)
    commit: Callable[[PostgresDialect, Any], None] = PostgresDialect.do_commit

    def commit_and_die(dialect: PostgresDialect, connection: Any) -> None:
        monkeypatch.undo()
        if is_committed:
            commit(dialect, connection)
        end_connections()
        connection.execute("SELECT 1")

    monkeypatch.setattr(PostgresDialect, "do_commit", commit_and_die)

    response = visitor.post(f"{LIST}/{seeded.destination}/test")

    assert (response.status_code, 'data-last-test="pending"' in response.text) == (status, is_committed)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDelivery)) == rows


def test_what_fails_twice_is_not_read_a_third_time(app: Flask, end_connections: Callable[[], object]) -> None:
    calls = []

    def read() -> None:
        calls.append(1)
        db.session.execute(text("SELECT 1"))
        end_connections()
        db.session.execute(text("SELECT 1"))

    with app.test_request_context(), pytest.raises(OperationalError):
        read_again_if_disconnected(read)

    assert len(calls) == 2


@contextmanager
def _requests(app: Flask, count: int) -> Iterator[None]:
    """Hold `count` requests that use the database open, each in its thread."""
    started, over = Barrier(count + 1), Event()

    def use_database() -> None:
        with app.test_request_context():
            db.session.execute(text("SELECT 1"))
            started.wait(60)
            over.wait(60)

    threads = [Thread(target=use_database) for _ in range(count)]
    for thread in threads:
        thread.start()
    started.wait(60)
    yield
    over.set()
    for thread in threads:
        thread.join()


def test_a_request_over_the_bound_is_refused_and_the_next_one_is_served(app: Flask) -> None:
    with _requests(app, MAX_REQUESTS), app.test_request_context():
        with pytest.raises(TooManyRequests):
            db.session.execute(text("SELECT 1"))
        db.session.rollback()
    with app.test_request_context():
        assert db.session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_worker_is_not_counted(app: Flask) -> None:
    with _requests(app, MAX_REQUESTS), app.app_context():
        assert db.session.execute(text("SELECT 1")).scalar_one() == 1
