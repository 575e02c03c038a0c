"""One run of the tests: how many workers share it, which tests keep to one of them, and what is left when it ends.

A run has a temporary folder of its own, which goes when the run ends, also when it is ended by SIGTERM.
To keep the files of a test: pytest --basetemp=DIRECTORY.
"""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from benchmarks.installation.servers import drop_databases_of_this_run

WORKERS_PER_CORE = 3
"""Most tests wait: for a process to start, for an answer, for a second to pass."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` starts."""
    return WORKERS_PER_CORE * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else WORKERS_PER_CORE * 2


@pytest.hookimpl(tryfirst=True)
def pytest_configure(app_settings: pytest.AppSettings) -> None:
    """Begin a run, or join it as one of its workers."""
    signal.signal(signal.SIGTERM, _end)
    if not hasattr(app_settings, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="act-"))  # short, because sockets in it have long paths
        folder.chmod(0o711)  # PostgreSQL may run as somebody else
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        app_settings.add_cleanup(lambda: _clear(folder))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one browser on one worker."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))


def _end(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)
    pytest.exit("ended by SIGTERM", returncode=128 + signal.SIGTERM)


def _clear(folder: Path) -> None:
    drop_databases_of_this_run()
    shutil.rmtree(folder, ignore_errors=True)
