"""The queue: jobs carry ids only, and workers record heartbeats."""

import pytest
import time_machine
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW
from webapp import queue
from webapp.application import create_app
from webapp.database.reasons import Reason
from webapp.settings import read_settings


def list_jobs(server: QueueServer) -> list[Job]:
    return Queue(queue.QUEUE, connection=Redis.from_url(server.url), serializer=JSONSerializer).jobs


def test_a_job_carries_only_the_deliverys_id(context: None, queue_server: QueueServer) -> None:
    queue.enqueue_deliveries(42)

    (job,) = list_jobs(queue_server)
    assert (job.func_name, job.args, job.kwargs) == ("webapp.worker.job.dispatch_deliveries", [42], {})


def test_a_job_has_a_neutral_description_and_short_times_to_live(context: None, queue_server: QueueServer) -> None:
    queue.enqueue_deliveries(42)

    (job,) = list_jobs(queue_server)
    assert (job.description, job.result_ttl, job.failure_ttl, job.timeout) == ("send deliveries", 10, 3600, 30)


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (41, [20, 20, 1])])
def test_twenty_deliveries_share_a_job(context: None, queue_server: QueueServer, count: int, sizes: list[int]) -> None:
    queue.enqueue_deliveries(*range(count))

    found = [job.args for job in list_jobs(queue_server)]
    assert [len(ids) for ids in found] == sizes
    assert [delivery_id for ids in found for delivery_id in ids] == list(range(count))


def test_a_missing_queue_server_raises_an_error(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    with app.app_context(), pytest.raises(queue.QueueUnavailable):
        queue.enqueue_deliveries(42)


def _add_heartbeat(server: QueueServer, worker: str, ago: float) -> None:
    """Add a heartbeat that is this many seconds old by the queue server's clock."""
    client = queue.connect(server.url)
    client.zadd(queue.HEARTBEATS, {worker: client.time()[0] - ago})


def test_a_heartbeat_is_seen(context: None) -> None:
    assert not queue.is_worker_alive()

    queue.record_heartbeat("host:1")

    assert queue.is_worker_alive()


def test_workers_are_counted_rather_than_heartbeats(context: None) -> None:
    queue.record_heartbeat("host:1")
    queue.record_heartbeat("host:1")
    queue.record_heartbeat("host:2")

    assert queue.count_workers() == 2


@pytest.mark.parametrize(("ago", "count"), [(8, 1), (11, 0), (-9, 1), (-13, 0)])
def test_a_heartbeat_counts_for_10_seconds_before_and_after_now(
    context: None, queue_server: QueueServer, ago: float, count: int
) -> None:
    _add_heartbeat(queue_server, "host:1", ago)

    assert queue.count_workers() == count


def test_a_workers_wrong_clock_does_not_affect_its_heartbeat(context: None) -> None:
    with time_machine.travel(NOW, tick=False):
        queue.record_heartbeat("host:1")

    assert queue.count_workers() == 1


@pytest.mark.parametrize("ago", [301, -310])
def test_an_old_heartbeat_is_deleted_at_the_next_heartbeat(
    context: None, queue_server: QueueServer, ago: float
) -> None:
    _add_heartbeat(queue_server, "host:1", ago)

    queue.record_heartbeat("host:2")

    assert queue.connect(queue_server.url).zrange(queue.HEARTBEATS, 0, -1) == [b"host:2"]


def test_heartbeats_without_a_queue_server_raise_an_error(environment: dict[str, str]) -> None:
    with create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"})).app_context():
        with pytest.raises(queue.QueueUnavailable):
            queue.record_heartbeat("host:1")
        with pytest.raises(queue.QueueUnavailable):
            queue.count_workers()


@pytest.mark.parametrize("reason", Reason)
def test_a_worker_tells_the_others_why_it_cannot_use_the_database(context: None, reason: Reason) -> None:
    queue.record_fault(reason)

    assert queue.find_fault() == f"a worker runs, but the database {reason.predicate}"


@pytest.mark.parametrize("fault", queue.WorkerFault)
def test_a_worker_tells_the_others_why_it_does_no_work(context: None, fault: queue.WorkerFault) -> None:
    queue.record_fault(fault)

    assert queue.find_fault() == fault


def test_a_fault_that_this_version_does_not_know_is_ignored(context: None, queue_server: QueueServer) -> None:
    queue.connect(queue_server.url).set(queue.FAULT, "a password \xff", ex=10)

    assert queue.find_fault() is None
