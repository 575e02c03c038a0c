"""A test that fails beside others is tried again alone; only if it passes then does the run pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from tests.second_tries import MAX_FAILED

# `passes_at`: in which of its runs the test passes, if in any.
FILE = """
import pathlib

def test_it():
    runs = pathlib.Path({folder!r}, "runs")
    count = int(runs.read_text()) + 1 if runs.exists() else 1
    runs.write_text(str(count))
    assert count == {passes_at}

def test_other():
    pass
"""


def _run(folder: Path, passes_at: int, workers: int) -> subprocess.CompletedProcess[str]:
    return _run_file(folder, FILE.format(folder=str(folder), passes_at=passes_at), workers)


def _run_file(folder: Path, text: str, workers: int) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "tests.runs", "-n", str(workers), "--rootdir", str(folder), "."]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("passes_at", "workers", "code"), [(2, 2, 0), (3, 2, 1), (2, 0, 1)], ids=["passes alone", "fails", "was alone"]
)
def test_only_a_test_that_passes_alone_does_not_fail_the_run(
    tmp_path: Path, passes_at: int, workers: int, code: int
) -> None:
    run = _run(tmp_path, passes_at, workers)

    assert run.returncode == code, run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("passes_at", "end"),
    [(2, "All passed. They are sensitive to the load of the machine."), (3, "Not all passed.")],
    ids=["passes alone", "fails"],
)
def test_the_output_ends_with_the_tests_that_were_tried_again(tmp_path: Path, passes_at: int, end: str) -> None:
    output = _run(tmp_path, passes_at, workers=2).stdout

    assert "1 failed, 1 passed" in output
    names = ["Failed beside other tests, so tried again alone:", "test_it.py::test_it"]
    assert output.splitlines()[-3:] == [*names, end]


MANY = """
import pathlib
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    runs = pathlib.Path({folder!r}, f"run-{{number}}")
    has_run = runs.exists()
    runs.touch()
    assert has_run
"""


@pytest.mark.slow
@pytest.mark.parametrize(("too_many", "code"), [(0, 0), (1, 1)])
def test_more_failures_than_a_busy_machine_makes_fail_the_run(tmp_path: Path, too_many: int, code: int) -> None:
    text = MANY.format(folder=str(tmp_path), count=MAX_FAILED + too_many)
    run = _run_file(tmp_path, text, workers=2)

    assert run.returncode == code, run.stdout + run.stderr
    assert ("tried again alone" in run.stdout) == (code == 0)
