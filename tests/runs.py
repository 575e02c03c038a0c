"""Pytest plugin for a test run: its number of workers, the tests that share one worker, and the cleanup.

A run has its own temporary folder, which is removed when the run ends, also after SIGTERM.
To keep the files of a test: pytest --basetemp=DIRECTORY.
"""

import gc
import os
import shutil
import signal
import tempfile
from collections import OrderedDict
from collections.abc import KeysView, Sequence, Sized
from contextlib import suppress
from functools import cached_property
from inspect import signature
from itertools import chain
from pathlib import Path
from types import FunctionType
from typing import Any

import hypothesis
import psutil
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.databases import drop_databases_of_this_run
from tests.second_tries import SecondTries

# Most tests wait: for a process to start, for a response, for a second to pass. The fast ones wait less.
WORKERS_PER_CORE, FAST_WORKERS_PER_CORE = 3, 2

# Tests that start whole installations. Each lane runs on one worker: side by side they slow each other past their time
# limits. The tests of a lane also share slow fixtures: a browser with its demo, crashes, containers. There are fewer
# lanes than workers, so that other tests fill their waits.
LANES = {
    "tests/browser/test_pages.py": "pages",  # two thirds of the tests in a browser
    "tests/browser/": "browser",
    "tests/demo/": "demo",
    "tests/end_to_end/canary/": "demo",
    "tests/end_to_end/test_c": "crashes",
    "tests/end_to_end/test_g": "crashes",
    "tests/end_to_end/test_h": "crashes",
    "tests/end_to_end/test_s": "crashes",
    "tests/end_to_end/": "outages",
}

# Modules that take minutes: their tests are spread over the workers. All other tests of a module run on one worker,
# where they share its fixtures.
SPLIT = ("tests/test_fuzzed_requests.py", "tests/test_routes.py")

# A module that takes minutes too, whose tests share what one worker has made.
LONG = ("tests/test_migrations.py",)

# Linux's file system in memory, and the bytes that a run needs of it, with room to spare.
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_NEEDED = 4 * 1024**3

# Fixtures that start a server.
SERVERS = frozenset({"chromium", "embedded", "password_server", "postgres", "queue_server"})

# What tests of a module without marks ask for that need a server: who asks for as much needs it too.
REJECTED = pytest.StashKey[list[KeysView[str]]]()

STARTS_PROCESSES = (
    "tests/browser/",
    "tests/demo/",
    "tests/end_to_end/",
    "tests/queue/test_outage_experiments.py",
    "tests/queue/test_readiness.py",
    "tests/test_containers.py",
    "tests/test_deploy.py",
    "tests/test_forked_processes.py",
    "tests/test_package.py",
    "tests/test_production.py",
    "tests/test_systemd.py",
    "tests/worker/",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers for `-n auto`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores * (FAST_WORKERS_PER_CORE if _wants_fast_only(config) else WORKERS_PER_CORE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the other tests' modules in a fast run, to save the time of importing them."""
    path = f"{collection_path.relative_to(config.rootpath).as_posix()}{'/' * collection_path.is_dir()}"
    return True if _wants_fast_only(config) and path.startswith(STARTS_PROCESSES) else None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Leave out what a fast run would deselect, before an item is made of each of its cases."""
    if not (_wants_fast_only(collector.config) and isinstance(obj, FunctionType) and name.startswith("test_")):
        return None
    arguments, rejected = signature(obj).parameters.keys(), collector.stash.setdefault(REJECTED, [])
    if any(arguments >= those for those in rejected) and not hasattr(obj, "pytestmark"):
        return []
    test = pytest.Function.from_parent(collector, name=name, callobj=obj)
    if _is_fast(test):
        return [test] if _is_one(test) else None
    if not hasattr(obj, "pytestmark"):
        rejected.append(arguments)
    return []


def _is_one(test: pytest.Function) -> bool:
    """Return whether pytest would make one item of a test: neither a mark nor a fixture lists values for it."""
    fixtures = chain.from_iterable(test._fixtureinfo.name2fixturedefs.values())
    return test.get_closest_marker("parametrize") is None and not any(fixture.params for fixture in fixtures)


def _wants_fast_only(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "fast")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start a run, or join it as a worker."""
    hypothesis.settings.register_profile("patient", deadline=None)  # one example takes long on a busy machine
    hypothesis.settings.load_profile("patient")
    signal.signal(signal.SIGTERM, _end)
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="act-", dir=_memory_folder()))  # short: sockets in it have long paths
        folder.chmod(0o711)  # PostgreSQL may run as another user
        config.pluginmanager.register(SecondTries())
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        config.add_cleanup(lambda: _clear(folder))


def _memory_folder() -> Path | None:
    """Return a file system in memory with enough room, where a commit does not wait for a disk; None if there is none.

    Killed processes lose no more there than on a disk: the files survive them in both. TMPDIR takes priority.
    """
    if "TMPDIR" in os.environ or not MEMORY_FOLDER.is_dir() or not os.access(MEMORY_FOLDER, os.W_OK):
        return None
    found = os.statvfs(MEMORY_FOLDER)
    is_usable = not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= MEMORY_NEEDED
    return MEMORY_FOLDER if is_usable else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests for `make test-fast`."""
    for item in items:
        if _is_fast(item):
            item.add_marker(pytest.mark.fast)


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but seldom, and never among the tests and modules, which stay until the end."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def _is_fast(item: pytest.Item) -> bool:
    needs_server = not SERVERS.isdisjoint(getattr(item, "fixturenames", ())) or _database_of(item) == "postgres"
    return not (needs_server or item.get_closest_marker("slow") or item.nodeid.startswith(STARTS_PROCESSES))


def _database_of(item: pytest.Item) -> object:
    """Return the kind of database that the test is parametrized with, if any."""
    call = getattr(item, "callspec", None)
    return call.params.get("database") if call else None


class Collection(list[str]):
    """The ids of a worker's tests. Finds the position of one without reading all before it."""

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {nodeid: position for position, nodeid in enumerate(self)}

    def index(self, nodeid: str, *_limits: Any) -> int:
        if nodeid not in self._positions:
            raise ValueError(f"{nodeid} is not in the collection")
        return self._positions[nodeid]


class LaneScheduling(LoadScopeScheduling):
    """Gives all tests of a lane or a module to the same worker, and the long ones first.

    xdist's own `loadgroup` writes the group into the test's id, which pytest 9.2 no longer allows.
    """

    _is_sorted = False

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Remember the tests of a worker."""
        super().add_node_collection(node, Collection(collection))

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        unit = nodeid if module in SPLIT else module
        return next((lane for path, lane in LANES.items() if nodeid.startswith(path)), unit)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._is_sorted:
            in_order = sorted(self.workqueue.items(), key=lambda unit: _rank(*unit))
            self.workqueue: OrderedDict[str, dict[str, bool]] = OrderedDict(in_order)
            self._is_sorted = True
        super()._assign_work_unit(node)


def _rank(unit: str, tests: Sized) -> tuple[int, int]:
    """Return the place of a unit in the queue: the end of the run must not be one worker alone."""
    if unit in LANES.values():
        return 0, -len(tests)
    return (1 if unit.startswith((*SPLIT, *LONG, *STARTS_PROCESSES)) else 2), -len(tests)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LaneScheduling:
    """Replace the scheduler that `--dist` selects."""
    return LaneScheduling(config, log)


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
