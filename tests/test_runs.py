"""A test run that is terminated leaves no file, no process and no database on a given server."""

import os
import re
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
from tests.runs import Collection, _rank

INHERITED = ("HOME", "LANG", "PATH")


@pytest.fixture
def folder() -> Iterator[Path]:
    """The run's temporary folder. Its path is short, because the path of a socket has a length limit."""
    with TemporaryDirectory(prefix="r-") as name:
        yield Path(name)


@pytest.fixture
def started(tmp_path: Path) -> Path:
    return tmp_path / "started"


@pytest.fixture(params=["0", "1"], ids=["alone", "on a worker"])
def run(
    request: pytest.FixtureRequest, folder: Path, started: Path, postgres: PostgresServer
) -> Iterator[psutil.Popen]:
    """A test run in the middle of a test, with a given PostgreSQL server."""
    settings = {"TMPDIR": str(folder), "STARTED": str(started), "TEST_DATABASE_URL": postgres.url}
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | settings
    command = [sys.executable, "-m", "pytest", "-n", request.param, "tests/lasting.py"]
    with psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        try:
            wait_until(started.exists, time_limit=300)
            yield run
        finally:
            if run.poll() is None:
                run.kill()


@pytest.mark.slow
def test_a_terminated_run_leaves_nothing(
    run: psutil.Popen, folder: Path, started: Path, postgres: PostgresServer
) -> None:
    processes = run.children(recursive=True)
    during = list_databases(postgres)
    assert processes != []
    assert Path(started.read_text()).is_relative_to(folder)

    run.send_signal(signal.SIGTERM)
    output, _ = run.communicate(timeout=600)

    assert run.returncode == 128 + signal.SIGTERM, output
    assert list(folder.iterdir()) == []
    wait_until(lambda: not any(process.is_running() for process in processes))
    assert len(during) > len(list_databases(postgres))


def test_lanes_come_first_then_what_takes_minutes_or_starts_processes_then_the_modules_with_most_tests() -> None:
    tests = {"tests/text/test_few.py": 2, "tests/views/test_many.py": 9, "tests/worker/test_process.py": 1}
    tests |= {"tests/test_routes.py::test_one": 1, "demo": 5, "browser": 3}

    assert sorted(tests, key=lambda unit: _rank(unit, range(tests[unit]))) == [
        *("demo", "browser", "tests/worker/test_process.py", "tests/test_routes.py::test_one"),
        *("tests/views/test_many.py", "tests/text/test_few.py"),
    ]


def test_a_collection_finds_each_test() -> None:
    collection = Collection(["a", "b", "c"])

    assert [collection.index(nodeid) for nodeid in ("c", "a")] == [2, 0]
    with pytest.raises(ValueError, match="d"):
        collection.index("d")


@pytest.mark.slow
def test_a_fast_run_collects_what_would_be_selected() -> None:
    """Written otherwise, the same selection is made of all tests."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-o",
        "addopts=-p no:cacheprovider",
        "tests/auth",
        "-m",
    ]
    early, late = (
        subprocess.run([*command, selection], cwd=ROOT, capture_output=True, text=True).stdout
        for selection in ("fast", "(fast)")
    )

    assert re.findall("<Function .*>", early) == re.findall("<Function .*>", late) != []
    assert "deselected" not in early
    assert "deselected" in late
