"""The queue: the only file that knows RQ. A job carries ids of deliveries and nothing else."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import cast

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from webapp import deliveries
from webapp.extensions import db
from webapp.settings import current_settings
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher, ReadyDelivery

log = logging.getLogger(__name__)

QUEUE = "alertcheck"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

BATCH_SIZE = 20
"""Deliveries in one job, where many are handed over at once: so few that the processes share them."""

RESULT_TTL = 10
"""Seconds that RQ remembers a job that is done: to forget one at once takes it more round trips to Redis."""

JOB_TIMEOUT = 30
"""Seconds that a job may take to hand its deliveries on, and a process to stop."""

SHUTDOWN_TIMEOUT = 25
"""Seconds that a process which stops waits for what is in the air: a send and a patient record take 20 at most."""

MAX_RECONNECT_WAIT = 2.0
"""Seconds between two tries to reach Redis again: RQ by itself comes to wait a minute, alive and idle."""

HEARTBEATS = "alertcheck:workers"
"""The workers by name, each with the time of its last sign of life: the queue server's own, whatever the hosts' are."""

HEARTBEAT_TTL = 10
"""Seconds after its last sign of life that a worker counts as gone."""

HEARTBEAT_EXPIRY = 300
"""Seconds after which its name goes too."""


FAIL_FAST = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
"""Options of a Redis client that gives up soon: a person waits, and a press asks a frozen server three times."""


class QueueUnavailable(Exception):
    """The queue server did not take the job."""


def connect(redis_url: str) -> Redis:
    """Make the client of a web process."""
    return Redis.from_url(redis_url, **FAIL_FAST)


def enqueue_deliveries(*delivery_ids: int) -> None:
    """Hand committed deliveries to the workers: all of them, or it raises `QueueUnavailable`."""
    if not delivery_ids:
        return
    jobs = [_make_job(delivery_ids[first : first + BATCH_SIZE]) for first in range(0, len(delivery_ids), BATCH_SIZE)]
    try:
        Queue(QUEUE, connection=_client(), serializer=JSONSerializer).enqueue_many(jobs)
    except RedisError as error:
        facts = {"deliveries": len(delivery_ids), "error": type(error).__name__}
        log.error("queue unavailable", extra=facts)
        raise QueueUnavailable from None


def _make_job(delivery_ids: tuple[int, ...]) -> EnqueueData:
    return Queue.prepare_data(
        dispatch_deliveries,
        delivery_ids,
        description="send deliveries",
        timeout=JOB_TIMEOUT,
        result_ttl=RESULT_TTL,
        failure_ttl=3600,
    )


def dispatch_deliveries(*delivery_ids: int) -> None:
    """Run as the job: hand deliveries on to this process' crew, which sends them in threads of its own."""
    dispatcher: Dispatcher = current_app.extensions["dispatcher"]
    with defer_signals(immediately=dispatcher.close):
        dispatcher.submit(*delivery_ids)


def _look_up(app: Flask, delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    with app.app_context(), _log_unexpected(*delivery_ids):
        return deliveries.list_ready_deliveries(delivery_ids)
    return []


def _send(app: Flask, delivery_id: int) -> None:
    with app.app_context(), _log_unexpected(delivery_id):
        deliveries.send(delivery_id, current_settings())


@contextmanager
def _log_unexpected(*delivery_ids: int) -> Iterator[None]:
    """Name what breaks by its type alone: a thread prints what ends it, with all that the exception says."""
    try:
        yield
    except Exception as error:
        with suppress(Exception):
            db.session.rollback()
        for delivery_id in delivery_ids:
            facts = {"delivery": delivery_id, "error": type(error).__name__}
            log.error("job broke, recovery ends the row", extra=facts)


@contextmanager
def defer_signals(immediately: Callable[[], object] = lambda: None, pass_on: bool = True) -> Iterator[None]:
    """Let a signal to stop wait for the end of what is done inside: RQ's handler talks to Redis, which may be gone too.

    immediately: what a signal does without waiting.
    pass_on: handle it afterwards, unless what it asks for is done anyway.
    Masking the signals would not do: the kernel hands them to another thread, and Python runs the handler in this one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: set[int] = set()

    def note(number: int, _frame: FrameType | None) -> None:
        waiting.add(number)
        immediately()

    usual = {stop: signal.signal(stop, note) for stop in STOP_SIGNALS}
    try:
        yield
    finally:
        for stop, handler in usual.items():
            signal.signal(stop, handler)
        for number in waiting if pass_on else ():
            signal.raise_signal(number)


def run_worker(redis_url: str) -> None:
    """Take jobs until told to stop: SIGTERM finishes the sends that are under way.

    No process per job: that would cost a fork, and what a killed worker leaves behind is told from its row anyway.
    """
    queue = Queue(QUEUE, connection=Redis.from_url(redis_url), serializer=JSONSerializer)
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.max_connection_wait_time = MAX_RECONNECT_WAIT
    with dispatching(ConcurrencyLimits()):
        worker.work(logging_level="WARNING")


@contextmanager
def dispatching(limits: ConcurrencyLimits) -> Iterator[Dispatcher]:
    """Have a crew for the jobs of this process. At the end, what it has not begun goes back to the queue."""
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    dispatcher = app.extensions["dispatcher"] = Dispatcher(partial(_look_up, app), partial(_send, app), limits)
    try:
        yield dispatcher
    finally:  # RQ's last words fail without Redis, but what is in the air is to end all the same
        with defer_signals(pass_on=False):
            with suppress(QueueUnavailable):  # recovery finds them
                enqueue_deliveries(*dispatcher.close())
            dispatcher.wait_until_idle(timeout=SHUTDOWN_TIMEOUT)


def record_heartbeat(worker: str) -> None:
    """Leave a worker's sign of life. RQ's own count is lost when Redis restarts. Raises `QueueUnavailable`.

    worker: its name, the same from each of its processes.
    """
    try:
        now = _to_seconds(_client().time())
        with _client().pipeline() as pipeline:
            pipeline.zadd(HEARTBEATS, {worker: now})
            pipeline.zremrangebyscore(HEARTBEATS, "-inf", now - HEARTBEAT_EXPIRY)
            pipeline.zremrangebyscore(HEARTBEATS, now + HEARTBEAT_EXPIRY, "+inf")  # the clock was set back
            pipeline.execute()
    except RedisError:
        raise QueueUnavailable from None


def count_workers() -> int:
    """Count the workers that gave a sign of life within `HEARTBEAT_TTL` seconds. Raises `QueueUnavailable`."""
    try:
        with _client().pipeline() as pipeline:
            pipeline.time()
            pipeline.zrange(HEARTBEATS, 0, -1, withscores=True)
            time, signs = pipeline.execute()
    except RedisError:
        raise QueueUnavailable from None
    now = _to_seconds(time)
    # A sign from the future is no better than an old one: where the clock was set back, it would outlive its worker.
    return sum(abs(now - given_at) <= HEARTBEAT_TTL for _, given_at in signs)


def is_worker_alive() -> bool:
    """Say whether there is a worker at all. Raises `QueueUnavailable`."""
    return count_workers() > 0


def _to_seconds(time: tuple[int, int]) -> float:
    seconds, microseconds = time
    return seconds + microseconds / 1_000_000


def _client() -> Redis:
    client: Redis = current_app.extensions["queue"]
    return client
