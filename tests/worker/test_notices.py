"""A worker process sends the notices that wait for a destination, goes on after an outage, and ends with its block."""

import threading
import time

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy.exc import OperationalError

from tests.factories import SECRET_PATH, SeededIds
from tests.notices.chosen_destinations import add, choose, plan, read_notices
from tests.notices.conftest import Installation, MovedClock
from tests.scripted_mail_server import ScriptedMailServer
from webapp.app_state import app_state
from webapp.notices.destination_sending import list_waiting_notices
from webapp.worker import notices
from webapp.worker.dispatcher import ConcurrencyLimits
from webapp.worker.process import dispatching
from webapp.worker.progress import Progress


def _wait_for_notices(installation: Installation, wanted: list[tuple[str, str | None]]) -> None:
    give_up_at = time.monotonic() + 60
    while read_notices(installation) != wanted:
        assert time.monotonic() < give_up_at, read_notices(installation)
        time.sleep(0.05)


def test_a_process_sends_what_waits_though_a_look_fails(
    app: Flask, mailbox: ScriptedMailServer, seeded: SeededIds, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "INTERVAL", 0.1)
    looks = iter([OperationalError("canary", {}, Exception("canary"))])

    def fail_once() -> object:
        if error := next(looks, None):
            raise error
        return list_waiting_notices()

    monkeypatch.setattr(notices, "list_waiting_notices", fail_once)
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    installation = Installation(app, MovedClock(), mailbox, seeded)
    app_state(installation.app).clock = installation.clock
    installation.accept()
    choose(installation, seeded.destination)
    installation.fail(add(installation, "slack", "On-call channel"))
    plan(installation)

    with installation.app.app_context(), dispatching(ConcurrencyLimits(), Progress()):
        _wait_for_notices(installation, [("sent", None)])

    assert len(httpserver.log) == 1
    assert [thread for thread in threading.enumerate() if "_look_regularly" in thread.name] == []
