"""RQ in this very process, telling all it can."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from tests.services import QueueServer
from webapp import jobs


@contextmanager
def open_queue(server: QueueServer) -> Iterator[Queue]:
    """Have the queue of deliveries for the length of a `with`."""
    with closing(Redis.from_url(server.url)) as connection:
        yield Queue(jobs.QUEUE, connection=connection, serializer=JSONSerializer)


def work_off(server: QueueServer) -> None:
    """Do all jobs there are. Takes over the signals of the process: see the fixture `signals_restored`."""
    with open_queue(server) as queue:
        worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="DEBUG")
