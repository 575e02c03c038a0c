"""The worker as a process: it sends, it retries, it survives kills, and it stops on a signal."""

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from benchmarks.installation.processes import TIME_LIMIT, Stack, wait_until
from benchmarks.installation.servers import QueueServer
from tests.end_to_end.presses import get_delivery, press, respond_after, wait_for_end, wait_for_heartbeat
from tests.factories import (
    SECRET_PATH,
    SeededIds,
    add_delivery,
    begin_claim_record,
    get_destination,
    on_both_databases,
    seconds,
)
from tests.forked_processes import run_processes
from webapp import queue
from webapp.demo.supervisor.processes import Child, session_members
from webapp.models import DeliveryStatus
from webapp.queue import QueueOutage

pytestmark = pytest.mark.slow

# Seconds until a lost send has ended although workers are killed and started all the time.
LONGEST_LOSS = 3 * TIME_LIMIT


def _start_working(app: Flask, stack: Stack) -> Child:
    worker = stack.start_worker()
    wait_for_heartbeat(app, worker)
    return worker


@on_both_databases
def test_a_press_is_sent(app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    stack.start_worker()

    wait_for_end(app, press(app, seeded), DeliveryStatus.SENT)


def test_a_receiver_that_is_busy_twice_gets_the_message_at_the_third_attempt(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    for _ in range(2):
        httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data()
    stack.start_worker()

    assert wait_for_end(app, press(app, seeded), DeliveryStatus.SENT).attempt_count == 3


@on_both_databases
def test_a_send_whose_worker_is_killed_ends_as_worker_lost_and_is_not_repeated(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    release, arrived = threading.Event(), threading.Event()

    def hold(_request: Request) -> Response:
        arrived.set()
        release.wait(20)
        return Response()

    httpserver.expect_request(SECRET_PATH).respond_with_handler(hold)
    worker = stack.start_worker()
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)

    worker.kill()
    release.set()
    stack.start_worker()

    assert wait_for_end(app, delivery_id, DeliveryStatus.FAILED).last_error_code == "worker_lost"
    assert len(httpserver.log) == 1


# life: seconds from a worker's first heartbeat. One worker alone has to watch the row for 9 s.
@pytest.mark.parametrize(("life", "is_shown"), [(5, True), (12, True), (7, False)])
def test_a_lost_send_ends_although_each_worker_is_killed_soon(
    app: Flask,
    seeded: SeededIds,
    stack: Stack,
    owner: tuple[str, str],
    httpserver: HTTPServer,
    life: float,
    is_shown: bool,
) -> None:
    arrived = respond_after(httpserver, seconds=20)
    visitor = stack.start_web().sign_in(*owner)
    worker = _start_working(app, stack)
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)
    worker.kill()
    give_up_at = time.monotonic() + LONGEST_LOSS
    worker, born = _start_working(app, stack), time.monotonic()

    while get_delivery(app, delivery_id).status is DeliveryStatus.QUEUED and time.monotonic() < give_up_at:
        if time.monotonic() > born + life:
            worker.kill()
            worker, born = _start_working(app, stack), time.monotonic()
        visitor.get(f"/w/harbor/destinations/{seeded.destination}/status" if is_shown else "/healthz")
        time.sleep(0.5)

    assert get_delivery(app, delivery_id).last_error_code == "worker_lost"
    wait_until(lambda: httpserver.log)  # a request is logged once it has its response
    assert len(httpserver.log) == 1


def test_a_killed_process_of_the_worker_is_replaced(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    worker = stack.start_worker(processes=1)
    wait_until(lambda: len(session_members(worker.pid)) == 2)
    (member,) = (pid for pid in session_members(worker.pid) if pid != worker.pid)

    os.kill(member, signal.SIGKILL)

    wait_for_end(app, press(app, seeded), DeliveryStatus.SENT)


def test_a_press_whose_job_was_lost_is_still_sent(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer, queue_server: QueueServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    delivery_id = press(app, seeded)
    queue.connect(queue_server.url).flushall()

    stack.start_worker()

    wait_for_end(app, delivery_id, DeliveryStatus.SENT)


def test_a_press_older_than_two_minutes_ends_as_not_started(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    with app.app_context():
        begin_claim_record()
        delivery_id = add_delivery(get_destination(seeded), created_at=datetime.now(UTC) - seconds(121)).id
        queue.enqueue_deliveries(delivery_id)

    stack.start_worker()

    assert wait_for_end(app, delivery_id, DeliveryStatus.FAILED).last_error_code == "not_started"
    assert httpserver.log == []


def test_a_stopped_worker_finishes_its_send(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    arrived = respond_after(httpserver, seconds=1.5)
    worker = stack.start_worker()
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)

    os.kill(worker.pid, signal.SIGTERM)

    assert worker.process.wait(timeout=TIME_LIMIT) == 0
    assert get_delivery(app, delivery_id).status is DeliveryStatus.SENT


def test_a_worker_that_is_stopped_twice_finishes_its_send(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer
) -> None:
    arrived = respond_after(httpserver, seconds=4)
    worker = stack.start_worker()
    delivery_id = press(app, seeded)
    assert arrived.wait(TIME_LIMIT)
    members = [pid for pid in session_members(worker.pid) if pid != worker.pid]

    os.kill(worker.pid, signal.SIGTERM)
    time.sleep(1.5)  # RQ takes two signals within a second for one
    for pid in set(session_members(worker.pid)) & set(members):
        os.kill(pid, signal.SIGTERM)

    assert worker.process.wait(timeout=TIME_LIMIT) == 0
    assert get_delivery(app, delivery_id).status is DeliveryStatus.SENT


def test_the_processes_of_a_killed_worker_end_by_themselves(stack: Stack) -> None:
    worker = stack.start_worker()
    wait_until(lambda: len(session_members(worker.pid)) == 3)

    os.kill(worker.pid, signal.SIGKILL)
    worker.process.wait()

    wait_until(lambda: session_members(worker.pid) == [])


def test_a_worker_without_a_queue_server_says_so_and_waits(environment: dict[str, str], tmp_path: Path) -> None:
    with run_processes(environment | {"REDIS_URL": "redis://127.0.0.1:1"}, tmp_path / "logs") as stack:
        worker = stack.start_worker()
        wait_until(lambda: QueueOutage.REFUSED.sentence in "".join(worker.output()))
        os.kill(worker.pid, signal.SIGTERM)

        assert worker.process.wait(timeout=TIME_LIMIT) == 0


def test_a_worker_without_settings_reports_the_missing_one(tmp_path: Path) -> None:
    with run_processes({"SECRET_KEY": ""}, tmp_path / "logs") as stack:
        worker = stack.start_worker()

        assert worker.process.wait(timeout=TIME_LIMIT) == 1
        assert "SECRET_KEY is not set. Make one with" in " ".join(worker.output())
