"""A test that fails beside others is tried again alone; only if it passes then does the run pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from tests.second_tries import MAX_FAILED

# Each of `count` tests passes in the run with the number `passes_at`, if in any.
FILE = """
import pathlib
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    runs = pathlib.Path({folder!r}, f"runs-{{number}}")
    count = int(runs.read_text()) + 1 if runs.exists() else 1
    runs.write_text(str(count))
    assert count == {passes_at}

def test_other():
    pass
"""


def _run(folder: Path, count: int = 1, passes_at: int = 2, workers: int = 1) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(FILE.format(folder=str(folder), count=count, passes_at=passes_at))
    command = [sys.executable, "-m", "pytest", "-p", "tests.runs", "-n", str(workers), "--rootdir", str(folder), "."]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "passes_at", "code", "end"),
    [
        (MAX_FAILED, 2, 0, "All passed. They are sensitive to the load of the machine."),
        (1, 3, 1, "Not all passed."),
    ],
    ids=["pass alone", "fails"],
)
def test_a_run_passes_if_what_failed_passes_alone_and_its_output_ends_with_it(
    tmp_path: Path, count: int, passes_at: int, code: int, end: str
) -> None:
    run = _run(tmp_path, count, passes_at)

    assert run.returncode == code, run.stdout + run.stderr
    assert f"{count} failed, 1 passed" in run.stdout
    title, *names, last = run.stdout.splitlines()[-count - 2 :]
    assert (title, last) == ("Failed beside other tests, so tried again alone:", end)
    assert sorted(names) == sorted(f"test_it.py::test_it[{number}]" for number in range(count))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "workers"), [(MAX_FAILED + 1, 1), (1, 0)], ids=["more than a busy machine makes", "was alone"]
)
def test_nothing_is_tried_again(tmp_path: Path, count: int, workers: int) -> None:
    run = _run(tmp_path, count, workers=workers)

    assert run.returncode == 1, run.stdout + run.stderr
    assert "tried again alone" not in run.stdout
    assert {file.read_text() for file in tmp_path.glob("runs-*")} == {"1"}
