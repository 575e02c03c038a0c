"""RQ in this very process, telling all it can."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from webapp import queue
from webapp.worker.dispatcher import Bounds

PATIENCE = 120.0
ONE_BY_ONE = Bounds(at_once=1, waiting=2000, waiting_of_workspace=2000, waiting_of_destination=2000)


@contextmanager
def open_queue(server: QueueServer) -> Iterator[Queue]:
    """Have the queue of deliveries for the length of a `with`."""
    with closing(Redis.from_url(server.url)) as connection:
        yield Queue(queue.QUEUE, connection=connection, serializer=JSONSerializer)


def work_off(server: QueueServer) -> None:
    """Do all jobs there are, and send one after the other.

    Takes over the signals of the process: see the fixture `signals_restored`.
    """
    with open_queue(server) as queue, queue.crew_at_work(ONE_BY_ONE) as crew:
        worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="DEBUG")
        assert crew.rest(within=PATIENCE), "not everything was sent in time"
