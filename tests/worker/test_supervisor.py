"""The worker's parent: what it does before it forks the processes that send."""

import gc
import signal
from collections.abc import Iterator

import pytest
from flask import Flask

from webapp.worker import supervisor
from webapp.worker.signals import STOP_SIGNALS


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
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
