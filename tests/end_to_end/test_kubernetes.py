"""What the pods of deploy/kubernetes run, all started at once as a cluster starts them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.installation.processes import free_port, wait_until
from benchmarks.installation.servers import ServiceMissing
from tests.containers import Machine, build_image, set_up_machine
from tests.databases import unmigrated_database
from tests.kubernetes import get_container, get_pod, read_pod
from webapp.database.outage_reasons import Reason
from webapp.demo.supervisor.processes import Child, session_members

pytestmark = pytest.mark.slow

WAITS = f'"event": "worker waits for the database", "reason": "{Reason.NOT_MIGRATED.sentence}"'


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty PostgreSQL database, which the Job migrates."""
    with unmigrated_database("postgres", request, tmp_path) as url:
        yield url


@pytest.fixture
def node(environment: dict[str, str], tmp_path: Path) -> Machine:
    try:
        image = build_image(tmp_path / "image")
        return set_up_machine(image, tmp_path / "node", environment, free_port(), read_pod)
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def pods(node: Machine) -> Iterator[dict[str, Child]]:
    """The web server and the worker, started before the migration."""
    children = {name: node.start(name) for name in ("web", "worker")}
    yield children
    for child in children.values():
        child.kill()


def _probe(node: Machine, path: str) -> int | None:
    """Ask as the kubelet does: by the address of the pod."""
    try:
        return requests.get(
            f"http://127.0.0.1:{node.port}{path}", headers={"Host": "10.1.2.3:8000"}, timeout=5
        ).status_code
    except requests.RequestException:
        return None


def test_pods_that_start_before_the_migration_wait_for_it_and_stop_in_time(
    node: Machine, pods: dict[str, Child]
) -> None:
    alive = get_container("web")["livenessProbe"]["httpGet"]["path"]
    wait_until(lambda: _probe(node, alive) == 200)
    wait_until(lambda: any(WAITS in line for line in pods["worker"].output()))
    before = (_probe(node, "/readyz"), node.is_healthy("worker"))

    migrated = node.start("migrate").process.wait(timeout=120)
    wait_until(lambda: _probe(node, "/readyz") == 200)  # asked first: the worker's check is a new process

    assert node.is_healthy("worker")
    assert (before, migrated) == ((503, False), 0)
    assert {name: _stop(pods[name], get_pod(name)["terminationGracePeriodSeconds"]) for name in pods} == {
        "web": (0, []),
        "worker": (0, []),
    }


def _stop(pod: Child, seconds: int) -> tuple[int, list[int]]:
    """Stop a pod's container. Returns its exit code, and what is left of it."""
    os.kill(pod.pid, signal.SIGTERM)
    return pod.process.wait(timeout=seconds), session_members(pod.pid)
