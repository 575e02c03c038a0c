"""Workers record heartbeats, dated by the queue server's clock."""

import pytest
import time_machine

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW
from tests.queue_keys import key_of
from webapp import queue
from webapp.app_state import redis_key
from webapp.application import create_app
from webapp.database.outage_reasons import Reason
from webapp.queue.heartbeats import FAULT
from webapp.settings import read_settings


def _add_heartbeat(server: QueueServer, worker: str, ago: float) -> None:
    """Add a heartbeat that is this many seconds old by the queue server's clock."""
    client = queue.connect(server.url)
    client.zadd(key_of("workers"), {worker: client.time()[0] - ago})


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

    assert queue.connect(queue_server.url).zrange(key_of("workers"), 0, -1) == [b"host:2"]


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
    queue.connect(queue_server.url).set(redis_key(FAULT), "a password \xff", ex=10)

    assert queue.find_fault() is None
