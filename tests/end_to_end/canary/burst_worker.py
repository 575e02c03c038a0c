"""An RQ worker in this process that logs at debug level."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from webapp.queue.jobs import QUEUE
from webapp.worker.dispatcher import ConcurrencyLimits
from webapp.worker.job_taker import JobTaker
from webapp.worker.process import dispatching
from webapp.worker.progress import Progress

# Seconds after which a delivery must have ended a moment ago, if some still wait: a busy machine needs minutes for all.
TIMEOUT = 120.0
ONE_AT_A_TIME = ConcurrencyLimits(concurrent=1, waiting=2000, waiting_per_workspace=2000, waiting_per_destination=2000)


@contextmanager
def open_queue(server: QueueServer) -> Iterator[Queue]:
    """Open the queue of deliveries for the length of a `with`."""
    with closing(Redis.from_url(server.url)) as connection:
        yield Queue(QUEUE, connection=connection, serializer=JSONSerializer)


def run_all_jobs(server: QueueServer) -> None:
    """Run all jobs in the queue, one delivery at a time.

    Replaces the signal handlers of the process: see the fixture `signals_restored`.
    """
    progress = Progress()
    with open_queue(server) as jobs, dispatching(ONE_AT_A_TIME, progress) as dispatcher:
        worker = JobTaker(jobs, lambda: None, dispatcher.close)
        worker.work(burst=True, logging_level="DEBUG")
        while not dispatcher.wait_until_idle(timeout=TIMEOUT):
            assert progress.is_recent(), "no delivery ends any more"
