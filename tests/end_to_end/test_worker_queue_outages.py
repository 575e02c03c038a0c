"""A worker whose queue server cannot be used says why and waits: its processes do not die again and again."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import pytest

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import TIME_LIMIT, wait_until
from tests.forked_processes import installed
from tests.queue.servers import TcpServer, running
from webapp.demo.supervisor.processes import Child, session_members
from webapp.models import DeliveryStatus
from webapp.queue import QueueOutage

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("q")


@pytest.fixture
def server(home: Path) -> Iterator[TcpServer]:
    with running("valkey", home) as server:
        yield server


@pytest.fixture
def site(database_url: str, home: Path, server: TcpServer) -> Iterator[Installation]:
    with installed(database_url, home, REDIS_URL=server.url()) as site:
        yield site


def _events(worker: Child) -> list[dict[str, object]]:
    return [json.loads(line) for line in worker.output()]


def _reasons(worker: Child) -> list[object]:
    return [event["reason"] for event in _events(worker) if "the worker waits" in str(event["event"])]


def _count_ends(worker: Child) -> int:
    return sum(event["event"] == "worker process ended" for event in _events(worker))


def _send_one(site: Installation) -> None:
    destination = site.add_destination("/takes")
    site.enqueue(site.request_test(destination))
    wait_until(lambda: site.newest(destination).status is DeliveryStatus.SENT)


def _check_worker(site: Installation) -> tuple[int, str]:
    ended = site.app.test_cli_runner().invoke(args=["check-worker"])
    return ended.exit_code, ended.stderr


def test_in_cluster_mode_every_place_says_so_and_no_process_starts(database_url: str, home: Path) -> None:
    with (
        running("valkey", home, "--cluster-enabled", "yes") as server,
        installed(database_url, home, REDIS_URL=server.url()) as site,
    ):
        server.run("CLUSTER ADDSLOTSRANGE 0 16383")
        worker = site.stack.start_worker()
        wait_until(lambda: _reasons(worker))
        time.sleep(3)

        sentence = QueueOutage.CLUSTER.sentence
        assert (_reasons(worker), _count_ends(worker)) == ([sentence], 0)
        assert session_members(worker.pid) == [worker.pid]
        assert site.stack.start_web().get("/readyz").json()["queue"] == QueueOutage.CLUSTER
        code, output = _check_worker(site)
        assert (code, sentence in output) == (1, True)

        os.kill(worker.pid, SIGTERM)
        assert worker.process.wait(timeout=TIME_LIMIT) == 0


@pytest.mark.parametrize(
    ("command", "cure", "problem"),
    [
        ("CONFIG SET requirepass right", "CONFIG SET requirepass ''", "AUTH_MISSING"),
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "FULL"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READ_ONLY"),
    ],
)
def test_a_problem_is_logged_once_and_no_process_starts_until_it_is_solved(
    site: Installation, server: TcpServer, command: str, cure: str, problem: str
) -> None:
    worker = site.stack.start_worker()
    _send_one(site)

    server.run(command)
    server.admin.client_kill_filter(_type="normal", skipme=True)
    wait_until(lambda: _reasons(worker))
    time.sleep(4)
    reasons, ends = _reasons(worker), _count_ends(worker)
    server.run(cure)

    _send_one(site)
    assert (reasons, ends) == ([QueueOutage[problem].sentence], 0)
    assert _count_ends(worker) <= 2  # each process once at most


def test_a_worker_that_starts_before_its_queue_server_works_once_it_is_there(
    database_url: str, home: Path, server: TcpServer
) -> None:
    server.admin.config_set("maxclients", 1)
    with installed(database_url, home, REDIS_URL=server.url()) as site:
        worker = site.stack.start_worker()
        wait_until(lambda: _reasons(worker))
        assert _reasons(worker) == [QueueOutage.TOO_MANY_CLIENTS.sentence]
        server.admin.config_set("maxclients", 1000)

        _send_one(site)
