"""A dead worker is noticed within seconds, and a living one is seen again after the queue server lost its data."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Session, Stack, run_processes, wait_until
from benchmarks.installation.servers import QueueServer, start_queue_server
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination
from webapp import queue
from webapp.application import create_app
from webapp.deliveries import request_test
from webapp.demo.supervisor.processes import Child
from webapp.settings import read_settings

pytestmark = pytest.mark.slow

TOKEN = "a token of sixteen characters or more".replace(" ", "-")
NOT_SEEN = "no heartbeat for 10 s: start alertcheck worker"


@pytest.fixture
def queue_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("q")  # short, because the path of a socket has a length limit


@pytest.fixture
def own_queue_server(queue_home: Path) -> Iterator[QueueServer]:
    """A queue server that a test may stop."""
    server = start_queue_server(queue_home)
    yield server
    server.stop()


@pytest.fixture
def stack(environment: dict[str, str], own_queue_server: QueueServer, tmp_path: Path) -> Iterator[Stack]:
    own = {"REDIS_URL": own_queue_server.url, "ALERTCHECK_METRICS_TOKEN": TOKEN}
    with run_processes(environment | own, tmp_path / "logs") as stack:
        yield stack


@pytest.fixture
def web(stack: Stack) -> Session:
    session = stack.start_web()
    session.http.headers["Authorization"] = f"Bearer {TOKEN}"
    return session


@pytest.fixture
def worker(stack: Stack, web: Session) -> Child:
    """A worker that has been seen."""
    worker = stack.start_worker()
    wait_until(lambda: _is_ready(web))
    return worker


def _is_ready(web: Session) -> bool:
    return web.get("/readyz").status_code == 200


def _workers(web: Session) -> str:
    return next(line for line in web.get("/metrics").text.splitlines() if line.startswith("alertcheck_workers "))


@pytest.mark.usefixtures("worker")
def test_a_worker_counts_once_for_all_its_processes(stack: Stack, web: Session) -> None:
    assert _workers(web) == "alertcheck_workers 1.0"

    stack.start_worker()

    wait_until(lambda: _workers(web) == "alertcheck_workers 2.0")


def test_a_killed_worker_is_noticed_within_30_seconds(web: Session, worker: Child) -> None:
    os.kill(worker.pid, signal.SIGKILL)  # only the parent: its processes notice by themselves

    wait_until(lambda: not _is_ready(web), time_limit=30)

    response = web.get("/readyz")
    assert (response.status_code, response.json()["worker"], response.json()["queue"]) == (503, NOT_SEEN, "ok")
    assert _workers(web) == "alertcheck_workers 0.0"


@pytest.mark.usefixtures("worker")
def test_a_living_worker_is_seen_within_10_seconds_after_the_queue_server_lost_its_data(
    web: Session, own_queue_server: QueueServer, queue_home: Path
) -> None:
    own_queue_server.process.kill()
    wait_until(lambda: not _is_ready(web))

    restarted = start_queue_server(queue_home)

    try:
        wait_until(lambda: _is_ready(web), time_limit=10)
        assert _workers(web) == "alertcheck_workers 1.0"
    finally:
        restarted.stop()


@pytest.mark.usefixtures("worker")
def test_a_worker_takes_jobs_right_after_the_queue_server_was_down(
    app: Flask, seeded: SeededIds, stack: Stack, httpserver: HTTPServer, own_queue_server: QueueServer, queue_home: Path
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    own_queue_server.process.kill()
    time.sleep(8)  # long enough to show a delay that doubles
    restarted = start_queue_server(queue_home)

    try:
        with create_app(read_settings(stack.environment)).app_context():
            queue.enqueue_deliveries(request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC)))
        wait_until(lambda: len(httpserver.log) == 1, time_limit=5)
    finally:
        restarted.stop()
