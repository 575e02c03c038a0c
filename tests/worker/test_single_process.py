"""A worker in one process: it ends if a part of it does, so that it is started again."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from webapp.worker import single_process
from webapp.worker.signals import STOP_SIGNALS


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_it_stops_if_its_maintenance_fails(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, start: Any, **_rounds: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr(single_process, "work", fail)
    monkeypatch.setattr(single_process, "send_until_stopped", pytest.fail)
    began, rescue = time.monotonic(), threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM))
    rescue.start()  # or else a worker that does not stop waits for the queue server for ever

    with app.app_context():
        single_process.run_single_process(app)
    rescue.cancel()

    assert time.monotonic() - began < 5
