"""One run of the tests: how many workers share it, which tests keep to one of them, and what is left when it ends.

A run has a temporary folder of its own, which goes when the run ends, also when it is ended by SIGTERM.
To keep the files of a test: pytest --basetemp=DIRECTORY.
"""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.databases import drop_databases_of_this_run

WORKERS_PER_CORE = 3
"""Most tests wait: for a process to start, for an answer, for a second to pass."""

LANES = {
    "tests/browser/": "browser",
    "tests/demo/": "demo",
    "tests/end_to_end/canary/": "demo",
    "tests/end_to_end/test_c": "crashes",
    "tests/end_to_end/": "outages",
}
"""Tests that start whole installations, each lane on one worker: side by side they take each other's seconds away.

Those of a lane also share what takes long: a browser and a demo for it to visit, crashes, containers.
"""

SERVERS = frozenset({"chromium", "embedded", "postgres", "queue_server"})
"""Fixtures that start one."""

STARTS_PROCESSES = (
    "tests/browser/",
    "tests/demo/",
    "tests/end_to_end/",
    "tests/test_containers.py",
    "tests/test_deploy.py",
    "tests/test_package.py",
    "tests/test_production.py",
    "tests/worker/",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many workers `-n auto` starts. The fast tests do not wait."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if _wants_fast_only(config) else WORKERS_PER_CORE * cores


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Save the fast tests the time to import the others."""
    place = f"{collection_path.relative_to(config.rootpath).as_posix()}{'/' * collection_path.is_dir()}"
    return True if _wants_fast_only(config) and place.startswith(STARTS_PROCESSES) else None


def _wants_fast_only(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "fast")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, or join it as one of its workers."""
    signal.signal(signal.SIGTERM, _end)
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="act-"))  # short, because sockets in it have long paths
        folder.chmod(0o711)  # PostgreSQL may run as somebody else
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        config.add_cleanup(lambda: _clear(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests for `make test-fast`."""
    for item in items:
        if _is_fast(item):
            item.add_marker(pytest.mark.fast)


def _is_fast(item: pytest.Item) -> bool:
    needs_server = not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
    return not (needs_server or item.get_closest_marker("slow") or item.nodeid.startswith(STARTS_PROCESSES))


class Sharing(LoadScopeScheduling):
    """Gives each worker a test at a time, but all tests of a lane to one.

    xdist's own `loadgroup` writes the group into the test's id, which pytest 9.2 no longer lets it.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((lane for place, lane in LANES.items() if nodeid.startswith(place)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    """Replace what `--dist` names."""
    return Sharing(config, log)


def _end(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)
    pytest.exit("ended by SIGTERM", returncode=128 + signal.SIGTERM)


def _clear(folder: Path) -> None:
    """Remove what is left: a worker that had to be killed could not clear up after its tests."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get("TMPDIR", "").startswith(str(folder)):
                process.kill()
    drop_databases_of_this_run()
    shutil.rmtree(folder, ignore_errors=True)
