"""RQ's jobs, and the keys in which RQ keeps them.

RQ builds its keys when it is imported, from RQ_KEY_PREFIX. `webapp.queue.enqueueing` therefore sets that variable and
imports this module afterwards, which is imported by nothing else but the worker.
"""

from collections.abc import Sequence

from redis import Redis
from rq.defaults import RQ_KEY_PREFIX
from rq.job import Job
from rq.queue import EnqueueData, Queue
from rq.serializers import JSONSerializer

QUEUE = "alertcheck"
JOB = "webapp.worker.job.dispatch_deliveries"
MAIL_JOB = "webapp.worker.job.dispatch_account_mails"

# Seconds that a worker of an earlier version, which may run during an upgrade, keeps a finished job.
RESULT_TTL = 10

# Seconds within which a job must submit its deliveries to the dispatcher.
JOB_TIMEOUT = 30

# KEYS: the queue, and the one to which RQ moves what it hands over. ARGV: the prefix of jobs' keys, the id of the job
# that RQ handed over, and how many others to take. Nothing is left behind, wherever the process or the connection ends.
_TAKE = """
redis.call('LREM', KEYS[2], 1, ARGV[2])
redis.call('DEL', ARGV[1] .. ARGV[2])
local taken = {}
local ids = tonumber(ARGV[3]) > 0 and redis.call('LPOP', KEYS[1], ARGV[3])
for _, id in ipairs(ids or {}) do
    local data = redis.call('HGET', ARGV[1] .. id, 'data')
    redis.call('DEL', ARGV[1] .. id)
    if data then
        table.insert(taken, id)
        table.insert(taken, data)
    end
end
return taken
"""


class ForeignPrefix(Exception):
    """RQ was imported before its prefix was known, so its workers would use the keys of another installation."""


class JobQueue:
    """The jobs of one installation. prefix: of all keys of RQ."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        # RQ's own prefix, unless RQ was imported before: then these classes still enqueue to the right queue.
        job = type("PrefixedJob", (Job,), {"redis_job_namespace_prefix": f"{prefix}:job:"})
        names = {"redis_queue_namespace_prefix": f"{prefix}:queue:", "redis_queues_keys": f"{prefix}:queues"}
        queue = type("PrefixedQueue", (Queue,), {**names, "job_class": job})
        self._queue: Queue = queue(QUEUE, connection=redis, serializer=JSONSerializer)

    def enqueue(self, batches: Sequence[tuple[int, ...]]) -> None:
        """Enqueue one job for each batch of delivery ids, all of them or none. Raises redis's errors."""
        self._queue.enqueue_many([_make_job(JOB, batch, "send deliveries") for batch in batches])

    def enqueue_account_mails(self, mail_ids: Sequence[int]) -> None:
        """Enqueue one job for mails to people, by their ids. Raises redis's errors."""
        self._queue.enqueue_many([_make_job(MAIL_JOB, tuple(mail_ids), "send account mails")])


def take_jobs(queue: Queue, handed_over: Job, count: int) -> list[Job]:
    """Take up to `count` jobs off the queue, and delete them together with the one that RQ handed over.

    Raises the errors of redis. The data of the jobs may be unreadable.
    """
    keys = queue.key, queue.intermediate_queue_key
    prefix = handed_over.redis_job_namespace_prefix
    taken = queue.connection.eval(_TAKE, len(keys), *keys, prefix, handed_over.id, count)
    return [_restore(job_id, data, queue) for job_id, data in zip(taken[::2], taken[1::2], strict=True)]


def open_worker_queue(redis: Redis, prefix: str) -> Queue:
    """Return the queue for a worker of RQ. Raises `ForeignPrefix`."""
    require_prefix(prefix)
    return Queue(QUEUE, connection=redis, serializer=JSONSerializer)


def require_prefix(prefix: str) -> None:
    """Raise `ForeignPrefix` if RQ's workers would use another prefix."""
    if prefix != RQ_KEY_PREFIX:
        raise ForeignPrefix


def _make_job(function: str, ids: tuple[int, ...], description: str) -> EnqueueData:
    return Queue.prepare_data(
        function,
        ids,
        description=description,
        timeout=JOB_TIMEOUT,
        result_ttl=RESULT_TTL,
        failure_ttl=3600,
    )


def _restore(job_id: bytes, data: bytes, queue: Queue) -> Job:
    job = Job(job_id.decode(), connection=queue.connection, serializer=queue.serializer)
    job.restore({b"data": data})
    return job
