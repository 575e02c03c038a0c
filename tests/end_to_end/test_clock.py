"""A worker's wall clock is set by an hour or a day during a test: no delivery is lost, and none hangs."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from benchmarks.installation.processes import TIME_LIMIT, wait_until
from tests.factories import SECRET_PATH, SeededIds, begin_claim_record, get_account, get_destination, seconds
from tests.forked_processes import run_processes
from webapp import queue
from webapp.deliveries import request_test
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = pytest.mark.slow

HOUR, DAY = 3600.0, 86_400.0
# Seconds in which the recovery pass runs a few times.
A_FEW_RECOVERY_PASSES = 3.0


@dataclass(frozen=True)
class Clock:
    """The workers' clock."""

    file: Path

    def set_by(self, ahead: float) -> None:
        self.file.write_text(str(ahead))


@pytest.fixture
def clock(environment: dict[str, str], tmp_path: Path) -> Iterator[Clock]:
    """The clock of a worker with two processes."""
    clock = Clock(tmp_path / "ahead")
    clock.set_by(0)
    settings = environment | {"CLOCK_AHEAD": str(clock.file)}
    with run_processes(settings, tmp_path / "logs", wsgi="tests.end_to_end.clock_wsgi") as stack:
        stack.start_worker()
        yield clock


def _press(app: Flask, seeded: SeededIds, ahead: float = 0) -> int:
    with app.app_context():
        begin_claim_record()
        now = datetime.now(UTC) + seconds(ahead)
        delivery_id = request_test(get_destination(seeded), get_account(seeded), now)
        queue.enqueue_deliveries(delivery_id)
        return delivery_id


def _read_outcome(app: Flask, delivery_id: int) -> tuple[DeliveryStatus, str | None]:
    with app.app_context():
        row = db.session.get_one(AlertDelivery, delivery_id)
        return row.status, row.last_error_code


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY])
def test_a_message_being_sent_is_recorded_as_sent_although_the_clock_is_set(
    app: Flask, seeded: SeededIds, httpserver: HTTPServer, clock: Clock, step: float
) -> None:
    arrived, release = threading.Event(), threading.Event()

    def hold(_request: Request) -> Response:
        arrived.set()
        release.wait(15)
        return Response()

    httpserver.expect_request(SECRET_PATH).respond_with_handler(hold)
    delivery_id = _press(app, seeded)
    assert arrived.wait(TIME_LIMIT)

    clock.set_by(step)
    sleep(A_FEW_RECOVERY_PASSES)
    release.set()

    wait_until(lambda: _read_outcome(app, delivery_id) == (DeliveryStatus.SENT, None))
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("step", [-HOUR, -DAY])
def test_a_deferred_test_is_retried_on_time_although_the_clock_is_set_back(
    app: Flask, seeded: SeededIds, httpserver: HTTPServer, clock: Clock, step: float
) -> None:
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data()
    delivery_id = _press(app, seeded)
    wait_until(lambda: _read_outcome(app, delivery_id)[0] is DeliveryStatus.DEFERRED)

    clock.set_by(step)

    wait_until(lambda: _read_outcome(app, delivery_id) == (DeliveryStatus.SENT, None))
    assert len(httpserver.log) == 2


@pytest.mark.parametrize("step", [HOUR, DAY])
def test_a_deferred_test_ends_with_its_cause_when_the_clock_is_set_ahead(
    app: Flask, seeded: SeededIds, httpserver: HTTPServer, clock: Clock, step: float
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data(status=503)
    delivery_id = _press(app, seeded)
    wait_until(lambda: _read_outcome(app, delivery_id)[0] is DeliveryStatus.DEFERRED)

    clock.set_by(step)

    wait_until(lambda: _read_outcome(app, delivery_id) == (DeliveryStatus.FAILED, "remote_unavailable"))
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY])
def test_a_press_after_the_clock_was_set_is_the_newest_and_is_sent(
    app: Flask, seeded: SeededIds, httpserver: HTTPServer, clock: Clock, step: float
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    first = _press(app, seeded)
    wait_until(lambda: _read_outcome(app, first)[0] is DeliveryStatus.SENT)
    clock.set_by(step)
    sleep(0.3)

    second = _press(app, seeded, ahead=step)

    wait_until(lambda: _read_outcome(app, second)[0] is DeliveryStatus.SENT)
    assert len(httpserver.log) == 2
