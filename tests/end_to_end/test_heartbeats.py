"""A worker that is dead or does no work is noticed within seconds, and seen again when it works."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Session, Stack, wait_until
from benchmarks.installation.servers import QueueServer, start_queue_server
from tests.database_role import database_role
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination
from tests.forked_processes import run_processes
from webapp import queue
from webapp.application import create_app
from webapp.database.outages import Reason
from webapp.deliveries import request_test
from webapp.demo.supervisor.processes import Child, session_members
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.queue import WorkerFault
from webapp.settings import read_settings

pytestmark = pytest.mark.slow

TOKEN = "a token of sixteen characters or more".replace(" ", "-")
NOT_SEEN = (
    f"No worker has sent a heartbeat for 10 s: start one with {COMMAND} worker. "
    "If one runs, give it the same SECRET_KEY, REDIS_URL and REDIS_PREFIX as this process."
)


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
def test_a_living_worker_is_seen_within_30_seconds_after_the_queue_server_lost_its_data(
    web: Session, own_queue_server: QueueServer, queue_home: Path
) -> None:
    own_queue_server.process.kill()
    wait_until(lambda: not _is_ready(web))

    restarted = start_queue_server(queue_home)

    try:
        wait_until(lambda: _is_ready(web), time_limit=30)
        assert _workers(web) == "alertcheck_workers 1.0"
    finally:
        restarted.stop()


def _report(web: Session) -> tuple[int, str]:
    response = web.get("/readyz")
    return response.status_code, response.json()["worker"]


def _check_worker(environment: dict[str, str]) -> Result:
    app = create_app(read_settings(environment))
    result = app.test_cli_runner().invoke(args=["check-worker"])
    with app.app_context():
        db.engine.dispose()
    return result


def test_a_worker_that_cannot_reach_the_database_is_reported_with_the_cause(
    web: Session, stack: Stack, tmp_path: Path
) -> None:
    fault = f"a worker runs, but the database {Reason.REFUSED.predicate}"
    wrong_port = stack.environment | {"DATABASE_URL": "postgresql+psycopg://alertcheck@127.0.0.1:1/alertcheck"}
    with run_processes(wrong_port, tmp_path / "wrong") as other:
        log = other.start_worker().log
        wait_until(lambda: _report(web) == (503, fault))
        time.sleep(3)  # it never gets ready

        assert _report(web) == (503, fault)
        checked = _check_worker(stack.environment)
        assert (checked.exit_code, fault in checked.stderr) == (1, True)
        assert Reason.REFUSED.sentence in log.read_text()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "cure", "reason"),
    [
        ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1", Reason.TOO_MANY),
        ("NOLOGIN", "LOGIN", Reason.NO_LOGIN),
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only", Reason.READ_ONLY),
    ],
)
def test_a_worker_that_loses_the_database_is_reported_within_15_seconds_and_recovers(
    web: Session, stack: Stack, database_url: str, tmp_path: Path, fault: str, cure: str, reason: Reason
) -> None:
    with (
        database_role(database_url) as role,
        run_processes(stack.environment | {"DATABASE_URL": role.url}, tmp_path / "role") as other,
    ):
        other.start_worker()
        wait_until(lambda: _is_ready(web))
        assert _check_worker(stack.environment).exit_code == 0

        role.alter(fault)
        cause = f"a worker runs, but the database {reason.predicate}"
        wait_until(lambda: _report(web) == (503, cause))
        role.alter(cure)

        wait_until(lambda: _is_ready(web))


@pytest.mark.usefixtures("worker")
def test_a_worker_whose_processes_die_again_and_again_is_reported(web: Session, worker: Child) -> None:
    def kill_processes() -> bool:
        for pid in session_members(worker.pid):
            if pid != worker.pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        return _report(web) == (503, WorkerFault.PROCESSES)

    wait_until(kill_processes)

    wait_until(lambda: _is_ready(web))


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
