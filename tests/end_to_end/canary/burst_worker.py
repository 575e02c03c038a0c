"""RQ in this very process, telling all it can."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from webapp import queue
from webapp.worker.dispatcher import ConcurrencyLimits
from webapp.worker.process import dispatching

PATIENCE = 120.0
ONE_BY_ONE = ConcurrencyLimits(concurrent=1, waiting=2000, waiting_per_workspace=2000, waiting_per_destination=2000)


@contextmanager
def open_queue(server: QueueServer) -> Iterator[Queue]:
    """Have the queue of deliveries for the length of a `with`."""
    with closing(Redis.from_url(server.url)) as connection:
        yield Queue(queue.QUEUE, connection=connection, serializer=JSONSerializer)


def work_off(server: QueueServer) -> None:
    """Do all jobs there are, and send one after the other.

    Takes over the signals of the process: see the fixture `signals_restored`.
    """
    with open_queue(server) as jobs, dispatching(ONE_BY_ONE) as dispatcher:
        worker = SimpleWorker([jobs], connection=jobs.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="DEBUG")
        assert dispatcher.wait_until_idle(timeout=PATIENCE), "not everything was sent in time"
