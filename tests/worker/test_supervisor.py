"""The worker's parent: what it does before it forks the processes that send."""

import gc
import signal
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from webapp.worker import supervisor
from webapp.worker.maintenance import Maintenance
from webapp.worker.signals import STOP_SIGNALS


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGHUP)}
    yield
    gc.unfreeze()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_its_processes_share_what_it_has_loaded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []
    gc.unfreeze()

    def note(*_arguments: object, **_keywords: object) -> None:
        found.append(gc.get_freeze_count() > 10 * len(gc.get_objects()))

    monkeypatch.setattr(supervisor, "work", note)
    with app.app_context():
        supervisor.run_worker(app, 1)

    assert found == [True]


class _Runs(Maintenance):
    """Runs of which the first leaves something to the next one."""

    def run(self) -> None:
        self.is_behind = not self.is_behind


class _StopAfterTwo(threading.Event):
    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        if len(self.waited) == 2:
            self.set()
        return self.is_set()


def test_a_run_that_leaves_something_is_followed_by_the_next_one_at_once(app: Flask) -> None:
    stop = _StopAfterTwo()

    supervisor.work(_Runs(app), stop, start=lambda: None, is_working=lambda: True)

    assert stop.waited == [supervisor.BEHIND_INTERVAL, supervisor.MAINTENANCE_INTERVAL]
