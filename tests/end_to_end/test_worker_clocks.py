"""Hosts whose clocks are minutes apart share a PostgreSQL database: its clock decides, and every press is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Stack, wait_until
from tests.end_to_end.presses import get_delivery
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination, seconds
from tests.forked_processes import run_processes
from webapp import queue
from webapp.deliveries import request_test
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, database_clock

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["postgres"], indirect=True),
    pytest.mark.parametrize("ahead", [150, -150, 3600, -3600]),
]


@contextmanager
def _host(environment: dict[str, str], ahead: float, directory: Path) -> Iterator[Stack]:
    """Processes on a host whose clock is ahead by these seconds."""
    file = directory / "ahead"
    file.write_text(str(ahead))
    settings = environment | {"CLOCK_AHEAD": str(file)}
    with run_processes(settings, directory / "logs", wsgi="tests.end_to_end.clock_wsgi") as stack:
        yield stack


def test_a_worker_whose_clock_is_wrong_sends_every_press(
    app: Flask, seeded: SeededIds, environment: dict[str, str], httpserver: HTTPServer, ahead: float, tmp_path: Path
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    with _host(environment, ahead, tmp_path) as stack:
        stack.start_worker()
        with app.app_context():
            delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())
            queue.enqueue_deliveries(delivery_id)

        wait_until(lambda: get_delivery(app, delivery_id).status is DeliveryStatus.SENT)

    with app.app_context():
        row = db.session.get_one(AlertDelivery, delivery_id)
        assert row.sent_at is not None
        assert row.attempts
        dates = [row.updated_at, row.sent_at, row.created_at]
        assert max(abs(database_clock.now() - date) for date in dates) < seconds(120)  # with the worker's start
        assert row.attempts[0]["started_at"] >= row.created_at.isoformat()
    assert len(httpserver.log) == 1


def test_a_worker_whose_clock_is_wrong_leaves_a_waiting_row_its_two_minutes(
    app: Flask, seeded: SeededIds, environment: dict[str, str], httpserver: HTTPServer, ahead: float, tmp_path: Path
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    with app.app_context():  # not in the queue, and requeued only after 10 s
        delivery_id = request_test(get_destination(seeded), get_account(seeded), database_clock.now())
    with _host(environment, ahead, tmp_path) as stack:
        stack.start_worker()
        with app.app_context():
            wait_until(queue.is_worker_alive)

        # Sent if the worker took longer than 10 s to start.
        assert get_delivery(app, delivery_id).status in (DeliveryStatus.QUEUED, DeliveryStatus.SENT)


def test_a_web_server_whose_clock_is_wrong_dates_a_press_as_the_others_do(
    app: Flask, seeded: SeededIds, owner: tuple[str, str], environment: dict[str, str], ahead: float, tmp_path: Path
) -> None:
    with _host(environment, ahead, tmp_path) as stack:
        visitor = stack.start_web().sign_in(*owner)

        assert visitor.post(f"/w/harbor/destinations/{seeded.destination}/test").status_code == 200

    with app.app_context():
        newest = find_newest_test(get_destination(seeded))
        assert newest is not None
        assert abs(database_clock.now() - newest.created_at) < seconds(30)
