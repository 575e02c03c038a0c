"""Records and counts worker heartbeats. RQ's own count is lost when Redis restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from redis.exceptions import RedisError

from webapp.app_state import app_state, redis_key
from webapp.database.outage_reasons import RUN_UPGRADE, Reason
from webapp.environment.installed_program import COMMAND
from webapp.queue.outage_classification import classify
from webapp.queue.outage_reasons import QueueUnavailable

# Redis sorted set: worker name to the time of its last heartbeat, by the clock of the queue server.
HEARTBEATS = "workers"

# Seconds after its last heartbeat for which a worker counts as alive.
HEARTBEAT_TTL = 10

# Seconds after which the name of a silent worker is removed.
HEARTBEAT_EXPIRY = 300

# Redis string: why a worker that runs sends no heartbeat. It expires like a heartbeat.
FAULT = "worker-fault"

# Redis strings, one for each worker: what tells its database from others.
DATABASE_MARK = "worker-database"

# What health checks show if no worker runs.
NO_WORKER = (
    f"No worker has sent a heartbeat for {HEARTBEAT_TTL} s: start one with {COMMAND} worker. If one runs, give it the "
    "same SECRET_KEY, REDIS_URL and REDIS_PREFIX as this process."
)

# What they show if a worker of another installation takes this one's jobs.
OTHER_DATABASE = (
    "a worker with the same SECRET_KEY, REDIS_URL and REDIS_PREFIX uses another database: give each installation a "
    "SECRET_KEY or a REDIS_PREFIX of its own, and each process of one installation the same DATABASE_URL"
)


class WorkerFault(StrEnum):
    """Why a worker does not do its work although it runs, in the words of health checks."""

    DATABASE = "a worker runs, but cannot read and write the database: read its log"
    SCHEMA_OLDER = f"a worker runs, but waits until the database is migrated: {RUN_UPGRADE}"
    SCHEMA_NEWER = "a worker runs, but waits, because the database is newer than its program: install the newer version"
    SCHEMA_UNKNOWN = "a worker runs, but waits, because the database is not the one that it needs: read its log"
    PROCESSES = "a worker runs, but its processes end, or cannot reach the database or the queue server: read its log"


def record_heartbeat(worker: str, database_mark: str = "") -> None:
    """Record that a worker does its work. Raises `QueueUnavailable`.

    worker: its name, the same for all of its processes. database_mark: what tells its database from others.
    """
    redis, key = app_state().redis, redis_key(HEARTBEATS)
    with _explaining():
        now = _to_seconds(redis.time())
        with redis.pipeline() as pipeline:
            pipeline.zadd(key, {worker: now})
            pipeline.set(redis_key(f"{DATABASE_MARK}:{worker}"), database_mark, ex=HEARTBEAT_EXPIRY)
            pipeline.zremrangebyscore(key, "-inf", now - HEARTBEAT_EXPIRY)
            pipeline.zremrangebyscore(key, now + HEARTBEAT_EXPIRY, "+inf")  # the clock was set back
            pipeline.execute()


def record_fault(fault: WorkerFault | Reason) -> None:
    """Record why a worker does not do its work, or why it cannot use the database. Raises `QueueUnavailable`."""
    with _explaining():
        app_state().redis.set(redis_key(FAULT), fault.name, ex=HEARTBEAT_TTL)


def find_fault() -> str | None:
    """Return why the latest worker without a heartbeat does not do its work, if one runs. Raises `QueueUnavailable`."""
    with _explaining():
        stored = app_state().redis.get(redis_key(FAULT))
    name = stored.decode("ascii", "replace") if isinstance(stored, bytes) else ""
    if name in Reason.__members__:
        return f"a worker runs, but the database {Reason[name].predicate}"
    return WorkerFault[name].value if name in WorkerFault.__members__ else None


@dataclass(frozen=True)
class Worker:
    """A worker that has sent a heartbeat within the last minutes. seconds: since then."""

    name: str
    seconds: float

    @property
    def is_alive(self) -> bool:
        # A heartbeat from the future counts as old: after the clock was set back, it would outlive its worker.
        return abs(self.seconds) <= HEARTBEAT_TTL


def list_workers() -> list[Worker]:
    """Return the workers that have sent a heartbeat within the last minutes, by name. Raises `QueueUnavailable`."""
    with _explaining(), app_state().redis.pipeline() as pipeline:
        pipeline.time()
        pipeline.zrange(redis_key(HEARTBEATS), 0, -1, withscores=True)
        time, heartbeats = pipeline.execute()
    now = _to_seconds(time)
    return sorted(
        (Worker(name.decode(), now - recorded_at) for name, recorded_at in heartbeats), key=attrgetter("name")
    )


def count_workers() -> int:
    """Count the workers whose last heartbeat is at most `HEARTBEAT_TTL` seconds old. Raises `QueueUnavailable`."""
    return sum(worker.is_alive for worker in list_workers())


def list_database_marks() -> list[str]:
    """Return what each live worker says of its database, empty if nothing. Raises `QueueUnavailable`."""
    keys = [redis_key(f"{DATABASE_MARK}:{worker.name}") for worker in list_workers() if worker.is_alive]
    with _explaining():
        marks = app_state().redis.mget(keys) if keys else ()
    return [mark.decode("ascii", "replace") if isinstance(mark, bytes) else "" for mark in marks]


def is_worker_alive() -> bool:
    """Return whether any worker is alive. Raises `QueueUnavailable`."""
    return count_workers() > 0


def _to_seconds(time: tuple[int, int]) -> float:
    seconds, microseconds = time
    return seconds + microseconds / 1_000_000


@contextmanager
def _explaining() -> Iterator[None]:
    """Raise `QueueUnavailable` with the reason in place of an error of redis."""
    try:
        yield
    except RedisError as error:
        raise QueueUnavailable(classify(error, app_state().settings.redis_url)) from None
