"""A worker's parent does the rounds of problems and notices beside its other maintenance."""

import threading

import pytest

from tests.notices.conftest import Installation
from webapp.app_state import app_state
from webapp.worker import supervisor


def test_a_worker_writes_the_notices_that_are_due(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.fail()
    stopped = threading.Event()
    stopped.set()
    monkeypatch.setattr(supervisor, "_stop_on_signals", lambda: stopped)
    monkeypatch.setattr(supervisor, "_require_prefix", lambda _prefix: None)
    with installation.app.app_context():
        supervisor.run_worker(installation.app, 0)
        for run in app_state(installation.app).maintenance:
            run(installation.clock.at)

    assert installation.list_notices() == ["queued"]
