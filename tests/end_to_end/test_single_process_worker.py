"""A worker in one process: it does what one with several does, and a second one takes over what it left."""

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from benchmarks.installation.processes import ENDS_WITHIN, TIME_LIMIT, Stack, wait_until
from benchmarks.installation.servers import QueueServer
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination, on_both_databases
from tests.forked_processes import run_processes
from webapp import queue
from webapp.deliveries import request_test
from webapp.demo.supervisor.processes import Child, session_members
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.queue import QueueOutage

pytestmark = pytest.mark.slow


def _press(app: Flask, seeded: SeededIds) -> int:
    with app.app_context():
        delivery_id = request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))
        queue.enqueue_deliveries(delivery_id)
        return delivery_id


def _get(app: Flask, delivery_id: int) -> AlertDelivery:
    with app.app_context():
        return db.session.get_one(AlertDelivery, delivery_id)


def _ends_as(app: Flask, delivery_id: int, status: DeliveryStatus, time_limit: float = TIME_LIMIT) -> None:
    wait_until(lambda: _get(app, delivery_id).status is status, time_limit)


def _is_listed(app: Flask, worker: Child) -> bool:
    with app.app_context():
        return any(found.name.endswith(f":{worker.pid}") for found in queue.list_workers())


def _respond_after(httpserver: HTTPServer, seconds: float) -> threading.Event:
    """Let the receiver respond after these seconds. Returns an event that is set when a message arrives."""
    arrived = threading.Event()

    def respond(_request: Request) -> Response:
        arrived.set()
        threading.Event().wait(seconds)
        return Response()

    httpserver.expect_request(SECRET_PATH).respond_with_handler(respond)
    return arrived


@on_both_databases
def test_one_process_sends_and_shows_that_it_works(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    worker = stack.start_worker(single=True)

    _ends_as(app, _press(app, seeded), DeliveryStatus.SENT)

    wait_until(lambda: _is_listed(app, worker))
    assert session_members(worker.pid) == [worker.pid]


def test_a_press_whose_job_was_lost_is_recovered(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer, queue_server: QueueServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    delivery_id = _press(app, seeded)
    queue.connect(queue_server.url).flushall()

    stack.start_worker(single=True)

    _ends_as(app, delivery_id, DeliveryStatus.SENT)


def test_it_finishes_its_send_when_it_is_stopped(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    arrived = _respond_after(httpserver, seconds=1.5)
    worker = stack.start_worker(single=True)
    delivery_id = _press(app, seeded)
    assert arrived.wait(TIME_LIMIT)

    os.kill(worker.pid, signal.SIGTERM)

    assert worker.process.wait(timeout=TIME_LIMIT) == 0
    assert _get(app, delivery_id).status is DeliveryStatus.SENT


def test_a_send_that_it_was_killed_in_is_ended_by_the_next_one(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    arrived = _respond_after(httpserver, seconds=4)
    worker = stack.start_worker(single=True)
    delivery_id = _press(app, seeded)
    assert arrived.wait(TIME_LIMIT)
    os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait()

    stack.start_worker(single=True)

    _ends_as(app, delivery_id, DeliveryStatus.FAILED, ENDS_WITHIN)
    assert _get(app, delivery_id).last_error_code == "worker_lost"
    assert len(httpserver.log) <= 1


def test_without_a_queue_server_it_says_so_and_can_be_stopped(environment: dict[str, str], tmp_path: Path) -> None:
    with run_processes(environment | {"REDIS_URL": "redis://127.0.0.1:1"}, tmp_path / "logs") as stack:
        worker = stack.start_worker(single=True)
        wait_until(lambda: QueueOutage.REFUSED.sentence in "".join(worker.output()))
        os.kill(worker.pid, signal.SIGTERM)

        assert worker.process.wait(timeout=TIME_LIMIT) == 0
