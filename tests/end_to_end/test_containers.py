"""The containers' commands, run on two machines that share nothing but the settings."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Session, free_port, wait_until
from benchmarks.installation.servers import ServiceMissing
from tests.containers import Machine, build_image, read_services, set_up_machine
from tests.databases import unmigrated_database
from tests.factories import SECRET_PATH, SeededIds
from webapp.demo.supervisor.processes import Child, session_members

pytestmark = pytest.mark.slow

WRITE = "import pathlib, sys; pathlib.Path(sys.argv[1], 'probe').write_text('x')"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty PostgreSQL database, which the containers' own command migrates."""
    with unmigrated_database("postgres", request, tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def machines(image: Path, environment: dict[str, str], tmp_path: Path) -> list[Machine]:
    try:
        return [set_up_machine(image, tmp_path / name, environment, free_port()) for name in ("one", "other")]
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def started(machines: list[Machine]) -> Iterator[dict[str, Child]]:
    """One machine migrates the database and serves the pages; the other runs the worker."""
    children: dict[str, Child] = {}
    try:
        children["migrate"] = machines[0].start("migrate")
        assert children["migrate"].process.wait(timeout=120) == 0, children["migrate"].describe_end()
        children |= {"web": machines[0].start("web"), "worker": machines[1].start("worker")}
        wait_until(Session(f"http://127.0.0.1:{machines[0].port}").is_up)  # the container's check is a new process
        yield children
    finally:
        for child in children.values():
            child.kill()


@pytest.fixture
def app(started: dict[str, Child], app: Flask) -> Flask:
    """The application, to read what the processes wrote."""
    return app


@pytest.mark.parametrize("folder", [".", "/"])
def test_a_container_cannot_write_to_its_file_system(machines: list[Machine], folder: str) -> None:
    result = machines[0].run("web", ["python", "-c", WRITE, folder])

    assert re.search(r"(Read-only file system|Permission denied)", result.stderr)


def test_a_container_can_write_to_tmp(machines: list[Machine]) -> None:
    assert machines[0].run("web", ["python", "-c", WRITE, str(machines[0].tmp)]).returncode == 0


def test_a_container_runs_as_the_images_user_without_capabilities(machines: list[Machine]) -> None:
    status = machines[0].run("web", ["cat", "/proc/self/status"]).stdout

    assert re.search(r"^Uid:\t10001\b", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)


def test_a_press_on_one_machine_is_sent_by_another_and_each_container_stops_cleanly_within_its_grace_period(
    machines: list[Machine],
    started: dict[str, Child],
    seeded: SeededIds,
    owner: tuple[str, str],
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    web, worker = machines
    session = Session(f"http://127.0.0.1:{web.port}")
    wait_until(lambda: session.get("/readyz").status_code == 200)  # asked first: a worker's check is a new process
    assert (web.is_healthy("web"), worker.is_healthy("worker")) == (True, True)

    session.sign_in(*owner).post(f"/w/harbor/destinations/{seeded.destination}/test")
    wait_until(lambda: 'data-last-test="sent"' in session.get("/w/harbor/destinations").text)
    assert len(httpserver.log) == 1

    assert _stop(started["worker"], "worker") == (0, [])
    wait_until(lambda: session.get("/readyz").status_code == 503)
    assert (web.is_healthy("web"), worker.is_healthy("worker")) == (True, False)

    session.http.close()
    assert _stop(started["web"], "web") == (0, [])


def _stop(container: Child, service: str) -> tuple[int, list[int]]:
    """Stop a container within its grace period. Returns its exit code, and what is left of it."""
    os.kill(container.pid, signal.SIGTERM)
    grace = int(read_services()[service]["stop_grace_period"].removesuffix("s"))
    return container.process.wait(timeout=grace), session_members(container.pid)
