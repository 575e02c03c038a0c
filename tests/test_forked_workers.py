"""A run's workers are forks of it, which end with it. One that crashes is replaced."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from benchmarks.installation.processes import ROOT, wait_until

TEST = "tests/lasting.py::test_lasts_without_a_server"
INHERITED = ("HOME", "LANG", "PATH")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[psutil.Popen]:
    """A run of two tests on one worker, in the middle of the first one."""
    with TemporaryDirectory(prefix="r-") as folder:
        started = tmp_path / "started"
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {"TMPDIR": folder, "STARTED": str(started)}
        command = [sys.executable, "-m", "pytest", "-n", "1", TEST]
        with psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as run:
            try:
                wait_until(started.exists, time_limit=300)
                yield run
            finally:
                if run.poll() is None:
                    run.kill()


@pytest.mark.slow
def test_a_worker_is_a_fork_that_ends_with_its_run(run: psutil.Popen) -> None:
    [worker] = run.children()
    assert worker.cmdline() == run.cmdline()

    run.kill()

    wait_until(lambda: not worker.is_running(), time_limit=60)


@pytest.mark.slow
def test_a_worker_that_crashes_is_replaced(run: psutil.Popen) -> None:
    [worker] = run.children()
    worker.kill()

    printed, _ = run.communicate(timeout=300)

    assert f"worker 'gw0' crashed while running '{TEST}[first]'" in printed
    assert re.search(r"^1 failed, \d passed", printed, re.M)
