"""The queue: enqueues deliveries, and records and counts worker heartbeats.

A job carries delivery ids and nothing else. It names its function by a dotted path, so that a web process imports no
worker code.
"""

import logging
from enum import StrEnum

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq.queue import EnqueueData, Queue
from rq.serializers import JSONSerializer

from webapp.app_state import app_state
from webapp.database.reasons import RUN_UPGRADE, Reason

log = logging.getLogger(__name__)

QUEUE = "alertcheck"
JOB = "webapp.worker.job.dispatch_deliveries"

# The most deliveries in one job: few enough for worker processes to share a large batch.
BATCH_SIZE = 20

# Seconds that RQ keeps a finished job. Deleting it immediately would cost more round trips to Redis.
RESULT_TTL = 10

# Seconds within which a job must submit its deliveries to the dispatcher.
JOB_TIMEOUT = 30

# Redis sorted set: worker name to the time of its last heartbeat, by the clock of the queue server.
HEARTBEATS = "alertcheck:workers"

# Seconds after its last heartbeat for which a worker counts as alive.
HEARTBEAT_TTL = 10

# Seconds after which the name of a silent worker is removed.
HEARTBEAT_EXPIRY = 300

# Redis string: why a worker that runs sends no heartbeat. It expires like a heartbeat.
FAULT = "alertcheck:worker-fault"

# Options of a Redis client that fails fast: a person waits, and a press contacts a frozen server three times.
FAIL_FAST = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}


class WorkerFault(StrEnum):
    """Why a worker does not do its work although it runs, in the words of health checks."""

    DATABASE = "a worker runs, but cannot read and write the database: read its log"
    SCHEMA_OLDER = f"a worker runs, but waits until the database is migrated: {RUN_UPGRADE}"
    SCHEMA_NEWER = "a worker runs, but waits, because the database is newer than its program: install the newer version"
    SCHEMA_UNKNOWN = "a worker runs, but waits, because the database is not the one that it needs: read its log"
    PROCESSES = "a worker runs, but its processes end, or cannot reach the database or the queue: read its log"


class QueueUnavailable(Exception):
    """The queue server did not respond, or did not accept the job."""


def connect(redis_url: str) -> Redis:
    """Return the Redis client of a web process."""
    return Redis.from_url(redis_url, **FAIL_FAST)


def enqueue_deliveries(*delivery_ids: int) -> None:
    """Enqueue committed deliveries, all of them or none. Raises `QueueUnavailable`."""
    if not delivery_ids:
        return
    jobs = [_make_job(delivery_ids[first : first + BATCH_SIZE]) for first in range(0, len(delivery_ids), BATCH_SIZE)]
    try:
        Queue(QUEUE, connection=app_state().redis, serializer=JSONSerializer).enqueue_many(jobs)
    except RedisError as error:
        log.error("queue unavailable", extra={"deliveries": len(delivery_ids), "error": type(error).__name__})
        raise QueueUnavailable from None


def _make_job(delivery_ids: tuple[int, ...]) -> EnqueueData:
    return Queue.prepare_data(
        JOB,
        delivery_ids,
        description="send deliveries",
        timeout=JOB_TIMEOUT,
        result_ttl=RESULT_TTL,
        failure_ttl=3600,
    )


def record_heartbeat(worker: str) -> None:
    """Record that a worker does its work. RQ's own count is lost when Redis restarts. Raises `QueueUnavailable`.

    worker: its name, the same for all of its processes.
    """
    redis = app_state().redis
    try:
        now = _to_seconds(redis.time())
        with redis.pipeline() as pipeline:
            pipeline.zadd(HEARTBEATS, {worker: now})
            pipeline.zremrangebyscore(HEARTBEATS, "-inf", now - HEARTBEAT_EXPIRY)
            pipeline.zremrangebyscore(HEARTBEATS, now + HEARTBEAT_EXPIRY, "+inf")  # the clock was set back
            pipeline.execute()
    except RedisError:
        raise QueueUnavailable from None


def record_fault(fault: WorkerFault | Reason) -> None:
    """Record why a worker does not do its work, or why it cannot use the database. Raises `QueueUnavailable`."""
    try:
        app_state().redis.set(FAULT, fault.name, ex=HEARTBEAT_TTL)
    except RedisError:
        raise QueueUnavailable from None


def find_fault() -> str | None:
    """Return why the latest worker without a heartbeat does not do its work, if one runs. Raises `QueueUnavailable`."""
    try:
        stored = app_state().redis.get(FAULT)
    except RedisError:
        raise QueueUnavailable from None
    name = stored.decode("ascii", "replace") if isinstance(stored, bytes) else ""
    if name in Reason.__members__:
        return f"a worker runs, but the database {Reason[name].predicate}"
    return WorkerFault[name].value if name in WorkerFault.__members__ else None


def count_workers() -> int:
    """Count the workers whose last heartbeat is at most `HEARTBEAT_TTL` seconds old. Raises `QueueUnavailable`."""
    try:
        with app_state().redis.pipeline() as pipeline:
            pipeline.time()
            pipeline.zrange(HEARTBEATS, 0, -1, withscores=True)
            time, heartbeats = pipeline.execute()
    except RedisError:
        raise QueueUnavailable from None
    now = _to_seconds(time)
    # A heartbeat from the future counts as old: after the clock was set back, it would outlive its worker.
    return sum(abs(now - recorded_at) <= HEARTBEAT_TTL for _, recorded_at in heartbeats)


def is_worker_alive() -> bool:
    """Return whether any worker is alive. Raises `QueueUnavailable`."""
    return count_workers() > 0


def _to_seconds(time: tuple[int, int]) -> float:
    seconds, microseconds = time
    return seconds + microseconds / 1_000_000
