"""The queue: a job carries an id, and nothing of it is secret."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW, SECRET_PATH, SeededIds, add_delivery, get_destination
from webapp import queue
from webapp.application import create_app
from webapp.settings import AppSettings, read_settings
from webapp.worker.dispatcher import ConcurrencyLimits, ReadyDelivery


def _list_jobs(server: QueueServer) -> list[Job]:
    return Queue(queue.QUEUE, connection=Redis.from_url(server.url), serializer=JSONSerializer).jobs


def test_a_job_carries_the_deliverys_id_and_nothing_else(context: None, queue_server: QueueServer) -> None:
    queue.enqueue_deliveries(42)

    (job,) = _list_jobs(queue_server)
    assert (job.func_name, job.args, job.kwargs) == ("webapp.queue.dispatch_deliveries", [42], {})


def test_a_job_has_a_neutral_description_and_a_short_life(context: None, queue_server: QueueServer) -> None:
    queue.enqueue_deliveries(42)

    (job,) = _list_jobs(queue_server)
    assert (job.description, job.result_ttl, job.failure_ttl, job.timeout) == ("send deliveries", 10, 3600, 30)


@pytest.mark.parametrize(("count", "of_jobs"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (41, [20, 20, 1])])
def test_twenty_deliveries_share_a_job(
    context: None, queue_server: QueueServer, count: int, of_jobs: list[int]
) -> None:
    queue.enqueue_deliveries(*range(count))

    found = [job.args for job in _list_jobs(queue_server)]
    assert [len(ids) for ids in found] == of_jobs
    assert [delivery_id for ids in found for delivery_id in ids] == list(range(count))


def test_an_absent_queue_is_told_within_a_second(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    with app.app_context(), pytest.raises(queue.QueueUnavailable):
        queue.enqueue_deliveries(42)


def test_what_breaks_in_a_job_leaves_no_trace_of_the_settings(
    app: Flask, seeded: SeededIds, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        delivery_id = add_delivery(
            get_destination(seeded), created_at=datetime.now(UTC), payload={"unexpected": True}
        ).id

        with queue.dispatching(ConcurrencyLimits()) as dispatcher:
            queue.dispatch_deliveries(delivery_id)
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

    with suppress(RuntimeError), queue.dispatching(ConcurrencyLimits()):
        queue.dispatch_deliveries(1)
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

    with queue.dispatching(ConcurrencyLimits(concurrent=1)):
        queue.dispatch_deliveries(1, 2, 3)
        assert begun.wait(5)

    assert [job.args for job in _list_jobs(queue_server)] == [[2, 3]]


def _sign(server: QueueServer, worker: str, ago: float) -> None:
    """Leave a sign of life as it stands some seconds after it was given, by the queue server's clock."""
    client = queue.connect(server.url)
    client.zadd(queue.HEARTBEATS, {worker: client.time()[0] - ago})


def test_a_sign_of_life_is_seen(context: None) -> None:
    assert not queue.is_worker_alive()

    queue.record_heartbeat("host:1")

    assert queue.is_worker_alive()


def test_workers_are_counted_not_their_signs(context: None) -> None:
    queue.record_heartbeat("host:1")
    queue.record_heartbeat("host:1")
    queue.record_heartbeat("host:2")

    assert queue.count_workers() == 2


@pytest.mark.parametrize(("ago", "count"), [(8, 1), (11, 0), (-9, 1), (-13, 0)])
def test_a_sign_of_life_counts_for_10_seconds_either_side_of_now(
    context: None, queue_server: QueueServer, ago: float, count: int
) -> None:
    _sign(queue_server, "host:1", ago)

    assert queue.count_workers() == count


def test_a_host_whose_clock_is_wrong_has_no_say_in_what_is_alive(context: None) -> None:
    with time_machine.travel(NOW, tick=False):
        queue.record_heartbeat("host:1")

    assert queue.count_workers() == 1


@pytest.mark.parametrize("ago", [301, -310])
def test_a_worker_long_gone_is_forgotten_at_the_next_sign_of_another(
    context: None, queue_server: QueueServer, ago: float
) -> None:
    _sign(queue_server, "host:1", ago)

    queue.record_heartbeat("host:2")

    assert queue.connect(queue_server.url).zrange(queue.HEARTBEATS, 0, -1) == [b"host:2"]


def test_a_sign_that_cannot_be_left_or_read_is_told(environment: dict[str, str]) -> None:
    with create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"})).app_context():
        with pytest.raises(queue.QueueUnavailable):
            queue.record_heartbeat("host:1")
        with pytest.raises(queue.QueueUnavailable):
            queue.count_workers()


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """Signals to stop that were handled, as RQ would handle them."""
    handled: list[int] = []
    usual = signal.signal(signal.SIGTERM, lambda number, _frame: handled.append(number))
    yield handled
    signal.signal(signal.SIGTERM, usual)


def test_signals_to_stop_wait_for_the_send_in_hand_although_other_threads_run(stops: list[int]) -> None:
    done = threading.Event()
    bystander = threading.Thread(target=done.wait)
    bystander.start()
    with queue.defer_signals():
        for _ in range(2):
            subprocess.run(["kill", "-TERM", str(os.getpid())], check=True)
        time.sleep(0.2)
        handled_inside = list(stops)
    done.set()
    bystander.join()

    assert (handled_inside, stops) == ([], [signal.SIGTERM])
