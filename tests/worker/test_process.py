"""A worker process: unexpected errors leak nothing, running deliveries finish, and the rest is requeued."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.factories import SECRET_PATH, SeededIds, add_delivery, get_destination
from tests.test_queue import list_jobs
from webapp.deliveries.ready_deliveries import ReadyDelivery
from webapp.settings import AppSettings
from webapp.worker.dispatcher import ConcurrencyLimits
from webapp.worker.job import dispatch_deliveries
from webapp.worker.process import dispatching


def test_what_breaks_in_a_job_leaves_no_trace_of_the_settings(
    app: Flask, seeded: SeededIds, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        delivery_id = add_delivery(
            get_destination(seeded), created_at=datetime.now(UTC), payload={"unexpected": True}
        ).id

        with dispatching(ConcurrencyLimits()) as dispatcher:
            dispatch_deliveries(delivery_id)
            assert dispatcher.wait_until_idle(timeout=10)

    assert SECRET_PATH not in caplog.text


def test_what_is_in_the_air_is_finished_however_the_work_ends(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def send(_delivery_id: int, _config: AppSettings) -> None:
        begun.set()
        time.sleep(0.5)
        ended.set()

    monkeypatch.setattr(
        "webapp.deliveries.list_ready_deliveries", lambda ids: [ReadyDelivery(number, number, 1) for number in ids]
    )
    monkeypatch.setattr("webapp.deliveries.send", send)

    with suppress(RuntimeError), dispatching(ConcurrencyLimits()):
        dispatch_deliveries(1)
        assert begun.wait(5)
        raise RuntimeError

    assert ended.is_set()


def test_what_has_not_begun_goes_back_to_the_queue(
    app: Flask, context: None, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(
        "webapp.deliveries.list_ready_deliveries", lambda ids: [ReadyDelivery(number, number, 1) for number in ids]
    )
    monkeypatch.setattr("webapp.deliveries.send", lambda *_arguments: begun.set() or time.sleep(0.5))

    with dispatching(ConcurrencyLimits(concurrent=1)):
        dispatch_deliveries(1, 2, 3)
        assert begun.wait(5)

    assert [job.args for job in list_jobs(queue_server)] == [[2, 3]]
