"""A worker process: unexpected errors leak nothing, running deliveries finish, and the rest is requeued."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.factories import SECRET_PATH, SeededIds, add_delivery, get_destination
from tests.queue.test_enqueueing import list_jobs
from webapp.deliveries import SendGroups
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.settings import AppSettings
from webapp.worker.dispatcher import ConcurrencyLimits, Report
from webapp.worker.job import dispatch_deliveries
from webapp.worker.process import dispatching
from webapp.worker.progress import Progress


def test_an_unexpected_error_in_a_job_shows_no_secret(
    app: Flask, seeded: SeededIds, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        delivery_id = add_delivery(
            get_destination(seeded), created_at=datetime.now(UTC), payload={"unexpected": True}
        ).id

        with dispatching(ConcurrencyLimits(), Progress()) as dispatcher:
            dispatch_deliveries(delivery_id)
            assert dispatcher.wait_until_idle(timeout=60)

    assert SECRET_PATH not in caplog.text


def test_running_deliveries_finish_however_the_worker_stops(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, finished = threading.Event(), threading.Event()

    def send(_delivery_id: int, _config: AppSettings, _groups: SendGroups, _report: object) -> None:
        started.set()
        time.sleep(0.5)
        finished.set()

    monkeypatch.setattr(
        "webapp.deliveries.list_ready_deliveries", lambda ids: [ReadyDelivery(number, number, 1) for number in ids]
    )
    monkeypatch.setattr("webapp.deliveries.send", send)

    with suppress(RuntimeError), dispatching(ConcurrencyLimits(), Progress()):
        dispatch_deliveries(1)
        assert started.wait(60)
        raise RuntimeError

    assert finished.is_set()


def test_deliveries_that_have_not_started_go_back_to_the_queue(
    app: Flask, context: None, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    def send(_delivery_id: int, _config: AppSettings, _groups: SendGroups, _report: object) -> None:
        started.set()
        time.sleep(0.5)

    monkeypatch.setattr(
        "webapp.deliveries.list_ready_deliveries", lambda ids: [ReadyDelivery(number, number, 1) for number in ids]
    )
    monkeypatch.setattr("webapp.deliveries.send", send)

    with dispatching(ConcurrencyLimits(concurrent=1), Progress()):
        dispatch_deliveries(1, 2, 3)
        assert started.wait(60)

    assert [job.args for job in list_jobs(queue_server)] == [[2, 3]]


def test_a_single_delivery_is_not_looked_up(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    def send(delivery_id: int, _config: AppSettings, _groups: SendGroups, report: Report) -> None:
        report(ReadyDelivery(delivery_id, 1, 1))
        sent.append(delivery_id)

    monkeypatch.setattr("webapp.deliveries.list_ready_deliveries", lambda _ids: [])
    monkeypatch.setattr("webapp.deliveries.send", send)

    with dispatching(ConcurrencyLimits(), Progress()) as dispatcher:
        dispatch_deliveries(1)
        assert dispatcher.wait_until_idle(timeout=60)

    assert sent == [1]
