"""A worker in one process: it does what one with several does, and a second one takes over what it left."""

import os
import signal
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import ENDS_WITHIN, TIME_LIMIT, Stack, wait_until
from benchmarks.installation.servers import QueueServer
from tests.end_to_end.presses import get_delivery, press, respond_after, wait_for_end, wait_for_heartbeat
from tests.factories import SECRET_PATH, SeededIds, on_both_databases
from tests.forked_processes import run_processes
from webapp import queue
from webapp.demo.supervisor.processes import session_members
from webapp.models import DeliveryStatus
from webapp.queue import QueueOutage

pytestmark = pytest.mark.slow


@on_both_databases
def test_one_process_sends_and_shows_that_it_works(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    worker = stack.start_worker(single=True)

    wait_for_end(app, press(app, seeded), DeliveryStatus.SENT)

    wait_for_heartbeat(app, worker)
    assert session_members(worker.pid) == [worker.pid]


def test_a_press_whose_job_was_lost_is_recovered(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer, queue_server: QueueServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    delivery_id = press(app, seeded)
    queue.connect(queue_server.url).flushall()

    stack.start_worker(single=True)

    wait_for_end(app, delivery_id, DeliveryStatus.SENT)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
def test_it_finishes_its_send_when_it_is_stopped(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer, stop: signal.Signals
) -> None:
    arrived = respond_after(httpserver, seconds=1.5)
    worker = stack.start_worker(single=True)
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)

    os.kill(worker.pid, stop)

    assert worker.process.wait(timeout=TIME_LIMIT) == 0
    assert get_delivery(app, delivery_id).status is DeliveryStatus.SENT


def test_a_send_that_it_was_killed_in_is_ended_by_the_next_one(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    arrived = respond_after(httpserver, seconds=4)
    worker = stack.start_worker(single=True)
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)
    os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait()

    stack.start_worker(single=True)

    wait_for_end(app, delivery_id, DeliveryStatus.FAILED, ENDS_WITHIN)
    assert get_delivery(app, delivery_id).last_error_code == "worker_lost"
    assert len(httpserver.log) <= 1


def test_without_a_queue_server_it_says_so_and_can_be_stopped(environment: dict[str, str], tmp_path: Path) -> None:
    with run_processes(environment | {"REDIS_URL": "redis://127.0.0.1:1"}, tmp_path / "logs") as stack:
        worker = stack.start_worker(single=True)
        wait_until(lambda: QueueOutage.REFUSED.sentence in "".join(worker.output()))
        os.kill(worker.pid, signal.SIGTERM)

        assert worker.process.wait(timeout=TIME_LIMIT) == 0
