"""Taking jobs: what waits behind a job is taken with it, and whatever happens meanwhile, no delivery is lost."""

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from types import FrameType
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from webapp import queue
from webapp.app_state import app_state
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.queue.jobs import JOB, QUEUE
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher
from webapp.worker.job_taker import JobTaker

# Nothing is sent: deliveries that were submitted wait for their look-up, or stay among the waiting.
NOTHING_STARTS = ConcurrencyLimits(concurrent=0)


@pytest.fixture
def jobs(context: None, queue_server: QueueServer) -> Iterator[Queue]:
    with closing(Redis.from_url(queue_server.url)) as connection:
        yield Queue(QUEUE, connection=connection, serializer=JSONSerializer)


@pytest.fixture
def dispatcher(context: None) -> Dispatcher:
    """A dispatcher that keeps what it accepts: `close` returns it."""
    return _use_dispatcher()


def test_jobs_that_wait_are_taken_with_the_first_one(jobs: Queue, dispatcher: Dispatcher) -> None:
    for number in range(1, 4):
        queue.enqueue_deliveries(number)

    _take(jobs, dispatcher)

    assert sorted(dispatcher.close()) == [1, 2, 3]
    assert _list_keys(jobs) == []


def test_a_process_takes_no_more_than_a_batch_at_once_so_that_processes_share_it(
    jobs: Queue, dispatcher: Dispatcher
) -> None:
    for number in range(50):
        queue.enqueue_deliveries(number)

    _take(jobs, dispatcher)
    others = _use_dispatcher()
    _take(jobs, others)

    assert sorted(dispatcher.close()) == list(range(20))
    assert sorted(others.close()) == list(range(20, 40))
    assert len(jobs.job_ids) == 10


@pytest.mark.parametrize(("size", "left"), [(20, 3), (12, 3), (7, 2)])
def test_jobs_that_carry_many_ids_count_as_many(jobs: Queue, dispatcher: Dispatcher, size: int, left: int) -> None:
    for first in range(0, 4 * size, size):
        queue.enqueue_deliveries(*range(first, first + size))

    _take(jobs, dispatcher)

    assert len(jobs.job_ids) == left
    assert sorted(dispatcher.close()) == list(range((4 - left) * size))


def test_a_mail_among_deliveries_goes_to_the_dispatcher_of_mails(jobs: Queue, dispatcher: Dispatcher) -> None:
    app_state().mail_dispatcher = mails = _make_dispatcher()
    queue.enqueue_deliveries(1)
    queue.enqueue_account_mails(2)
    queue.enqueue_deliveries(3)

    _take(jobs, dispatcher)

    assert (sorted(dispatcher.close()), mails.close()) == ([1, 3], [2])


def _break_data(jobs: Queue, job: Job) -> None:
    jobs.connection.hset(job.key, "data", b"\x00 not a job")


def _drop_data(jobs: Queue, job: Job) -> None:
    jobs.connection.delete(job.key)


def _replace_job(function: str, *arguments: Any) -> Callable[[Queue, Job], None]:
    def replace(jobs: Queue, job: Job) -> None:
        jobs.connection.hset(job.key, "data", json.dumps((function, None, arguments, {})))

    return replace


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "spoil",
    [_break_data, _drop_data, _replace_job("webapp.worker.job.nothing", 2), _replace_job(JOB, "two")],
    ids=["unreadable", "expired", "of another version", "no id"],
)
def test_a_job_that_cannot_be_read_costs_no_other_one(
    jobs: Queue, dispatcher: Dispatcher, spoil: Callable[[Queue, Job], None], position: int
) -> None:
    for number in range(3):
        queue.enqueue_deliveries(number)
    spoil(jobs, jobs.jobs[position])

    _take(jobs, dispatcher)

    assert sorted(dispatcher.close()) == [number for number in range(3) if number != position]
    assert jobs.job_ids == []


def test_a_job_that_cannot_be_read_is_logged_without_its_text(
    jobs: Queue, dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    queue.enqueue_deliveries(1)
    _replace_job("os.system", "a secret")(jobs, jobs.jobs[0])

    _take(jobs, dispatcher)

    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.message == "job unreadable, recovery finds its rows"
    assert "secret" not in str(vars(record))


def test_a_job_that_fails_is_logged_and_costs_no_other_one(
    jobs: Queue, dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    app_state().mail_dispatcher = None
    queue.enqueue_account_mails(1)
    queue.enqueue_deliveries(2)

    _take(jobs, dispatcher)

    assert dispatcher.close() == [2]
    assert [record.message for record in caplog.records] == ["job failed, recovery finds its rows"]


def test_without_the_queue_server_the_job_that_was_handed_over_is_submitted(
    jobs: Queue, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.enqueue_deliveries(1)
    queue.enqueue_deliveries(2)

    def fail(*_arguments: object) -> None:
        raise RedisConnectionError

    monkeypatch.setattr(jobs.connection, "eval", fail)
    _take(jobs, dispatcher)

    assert dispatcher.close() == [1]
    assert [job.args for job in jobs.jobs] == [[2]]


class Stopped(Exception):
    """What a stop signal raises where it arrives."""


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def test_a_stop_signal_while_jobs_are_taken_loses_none(
    jobs: Queue, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        queue.enqueue_deliveries(number)
    take = jobs.connection.eval

    def stop_and_take(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return take(*arguments)

    monkeypatch.setattr(jobs.connection, "eval", stop_and_take)
    previous = signal.signal(signal.SIGTERM, _raise_stopped)  # as RQ's handler does
    try:
        with pytest.raises(Stopped):
            _take(jobs, dispatcher)
    finally:
        signal.signal(signal.SIGTERM, previous)

    assert sorted(dispatcher.close()) == [0, 1, 2]


def test_many_jobs_cost_redis_few_commands(jobs: Queue, dispatcher: Dispatcher) -> None:
    """The single commands of RQ for each job cost more than its delivery."""
    for number in range(20):
        queue.enqueue_deliveries(number)
    taker = _make_taker(jobs, dispatcher)
    before = jobs.connection.info("commandstats")

    taker.work(burst=True, logging_level="WARNING")

    after = jobs.connection.info("commandstats")
    assert after["cmdstat_eval"]["calls"] - before.get("cmdstat_eval", {"calls": 0})["calls"] == 1
    assert after["cmdstat_lmove"]["calls"] - before.get("cmdstat_lmove", {"calls": 0})["calls"] == 2


def _use_dispatcher() -> Dispatcher:
    dispatcher = app_state().dispatcher = _make_dispatcher()
    return dispatcher


def _make_dispatcher() -> Dispatcher:
    def list_ready(ids: Sequence[int]) -> list[ReadyDelivery]:
        return [ReadyDelivery(number, number, 1) for number in ids]

    return Dispatcher(list_ready, lambda _delivery_id: None, NOTHING_STARTS)


def _make_taker(jobs: Queue, dispatcher: Dispatcher) -> JobTaker:
    return JobTaker(jobs, lambda: None, dispatcher.close)


def _take(jobs: Queue, dispatcher: Dispatcher) -> None:
    """Take what RQ hands over first, as the loop of a worker does."""
    taken = Queue.dequeue_any([jobs], None, jobs.connection, serializer=JSONSerializer)
    assert taken is not None
    _make_taker(jobs, dispatcher).execute_job(*taken)


def _list_keys(jobs: Queue) -> list[bytes]:
    return [key for key in jobs.connection.scan_iter() if b":job:" in key or b"intermediate" in key]
