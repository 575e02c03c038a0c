"""A run of the tests that is ended early leaves nothing: no file, no process, no database on a server it was given."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from benchmarks.installation.processes import ROOT, wait_until
from benchmarks.installation.servers import PostgresServer
from tests.databases import list_databases

PASSED_ON = ("HOME", "LANG", "PATH")


@pytest.fixture
def folder() -> Iterator[Path]:
    """The run's temporary folder; that of this test has too long a name for sockets in it."""
    with TemporaryDirectory(prefix="r-") as name:
        yield Path(name)


@pytest.fixture
def started(tmp_path: Path) -> Path:
    return tmp_path / "started"


@pytest.fixture(params=[["-n", "0"], ["-n", "2"]], ids=["alone", "on workers"])
def run(
    request: pytest.FixtureRequest, folder: Path, started: Path, postgres: PostgresServer
) -> Iterator[psutil.Popen]:
    """A run with a test in the middle of its work, on a server that it was given."""
    own = {"TMPDIR": str(folder), "STARTED": str(started), "TEST_DATABASE_URL": postgres.url}
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | own
    command = [sys.executable, "-m", "pytest", *request.param, "tests/lasting.py"]
    with psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        try:
            wait_until(started.exists, patience=60)
            yield run
        finally:
            if run.poll() is None:
                run.kill()


@pytest.mark.slow
def test_a_run_that_is_ended_leaves_nothing(
    run: psutil.Popen, folder: Path, started: Path, postgres: PostgresServer
) -> None:
    processes = run.children(recursive=True)
    during = list_databases(postgres)
    assert processes != []
    assert Path(started.read_text()).is_relative_to(folder)

    run.send_signal(signal.SIGTERM)
    output, _ = run.communicate(timeout=30)

    assert run.returncode == 128 + signal.SIGTERM, output
    assert list(folder.iterdir()) == []
    wait_until(lambda: not any(process.is_running() for process in processes))
    assert len(during) > len(list_databases(postgres))
