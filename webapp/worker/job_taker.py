"""Takes jobs from the queue: RQ waits for one and hands it over, and the jobs behind it are taken with it.

A job only hands ids to a dispatcher of this process, and recovery finds in the rows what a killed process left. So RQ
records nothing about running jobs: its records cost more than sending.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException

from webapp.queue import BATCH_SIZE
from webapp.queue.jobs import JOB, JOB_TIMEOUT, MAIL_JOB, take_jobs
from webapp.worker.job import dispatch_account_mails, dispatch_deliveries
from webapp.worker.signals import defer_signals

log = logging.getLogger(__name__)

# Seconds between two attempts to reconnect to Redis. RQ's own default grows to a minute.
MAX_RECONNECT_WAIT = 2.0

# RQ waits for a job for 15 s less than this: two seconds, after which it shows that it still takes jobs.
WORKER_TTL = 17

# Seconds within which a process tells Redis only once that it lives, however many jobs it takes.
HEARTBEAT_INTERVAL = 1.0

# What a job may name as its function.
_FUNCTIONS: dict[str | None, Callable[..., None]] = {JOB: dispatch_deliveries, MAIL_JOB: dispatch_account_mails}

# Ids, by the function that they are for.
Ids = dict[Callable[..., None], list[int]]


class JobTaker(SimpleWorker):
    """RQ's worker, without a process or a record for each job. Without jobs, a round of its loop takes two seconds.

    note_round: called when Redis was told that this process lives.
    close: called as soon as a stop signal arrives while jobs are taken, so that nothing blocks.
    """

    max_connection_wait_time = MAX_RECONNECT_WAIT

    def __init__(self, queue: Queue, note_round: Callable[[], object], close: Callable[[], object]) -> None:
        self._note_round = note_round
        self._close = close
        self._told_at = 0.0
        super().__init__([queue], connection=queue.connection, serializer=JSONSerializer, worker_ttl=WORKER_TTL)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell Redis that this process lives, and note the round, at most once in `HEARTBEAT_INTERVAL`."""
        if time.monotonic() < self._told_at + HEARTBEAT_INTERVAL:
            return
        super().heartbeat(timeout, pipeline)
        self._told_at = time.monotonic()
        self._note_round()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Tell Redis what this process does, if that has changed."""
        if state != self.get_state():
            super().set_state(state, pipeline)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Submit the ids of a job that RQ handed over, and of others that wait. Recovery finds those that are lost."""
        with defer_signals(immediately=self._close):
            ids: Ids = defaultdict(list)
            _read(job, ids)
            for other in _take_others(job, queue, sum(map(len, ids.values()))):
                _read(other, ids)
            for function, own_ids in ids.items():
                self._submit(function, own_ids)

    def _submit(self, function: Callable[..., None], ids: list[int]) -> None:
        try:
            with self.death_penalty_class(JOB_TIMEOUT, JobTimeoutException):
                function(*ids)
        except Exception as error:
            fields = {"function": function.__name__, "ids": ids, "error": type(error).__name__}
            log.error("job failed, recovery finds its rows", extra=fields)


def _take_others(job: Job, queue: Queue, carried: int) -> list[Job]:
    """Delete a job that RQ handed over, and take others, so that all carry about `BATCH_SIZE` ids together.

    Each of the others is expected to carry as many as this one. So processes share the tests of a large press in the
    same way, whether each id has a job of its own or not.
    """
    try:
        return take_jobs(queue, job, BATCH_SIZE // max(1, carried) - 1)
    except RedisError as error:
        log.warning("queue server unavailable, no further jobs are taken", extra={"error": type(error).__name__})
        return []


def _read(job: Job, ids: Ids) -> None:
    """Add the ids that a job carries. A job that this version cannot read is dropped, and costs no other one."""
    try:
        function, own_ids = _FUNCTIONS[job.func_name], [int(number) for number in job.args]
    except Exception as error:
        log.error("job unreadable, recovery finds its rows", extra={"job": job.id, "error": type(error).__name__})
        return
    ids[function] += own_ids
