"""The queue: a job carries ids only, and each installation has its own jobs."""

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from webapp import queue
from webapp.application import create_app
from webapp.logs import JsonLines
from webapp.queue.jobs import QUEUE, ForeignPrefix, open_worker_queue
from webapp.settings import read_settings


def list_jobs(server: QueueServer) -> list[Job]:
    return Queue(QUEUE, connection=Redis.from_url(server.url), serializer=JSONSerializer).jobs


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

    with app.app_context(), pytest.raises(queue.QueueUnavailable) as unavailable:
        queue.enqueue_deliveries(42)

    assert unavailable.value.outage is queue.QueueOutage.REFUSED


def test_the_log_has_the_cause_and_nothing_of_the_url(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://ann:canary@nosuch.invalid/0"}))

    with app.app_context(), pytest.raises(queue.QueueUnavailable):
        queue.enqueue_deliveries(42)

    assert queue.QueueOutage.UNKNOWN_HOST.sentence in caplog.text
    assert [word for word in ("ann:", "canary", "nosuch") if word in JsonLines().format(caplog.records[-1])] == []


def test_applications_in_one_process_with_other_prefixes_have_other_queues(
    environment: dict[str, str], queue_server: QueueServer
) -> None:
    for prefix in ("first", "second"):
        with create_app(read_settings(environment | {"REDIS_PREFIX": prefix})).app_context():
            queue.enqueue_deliveries(42)

    keys = [key.decode() for key in queue.connect(queue_server.url).scan_iter()]
    assert [key for key in keys if not key.startswith(("first:", "second:"))] == []
    assert {"first:rq:queue:alertcheck", "second:rq:queue:alertcheck"} <= set(keys)


def test_a_worker_refuses_to_start_with_the_prefix_of_another_installation(queue_server: QueueServer) -> None:
    with pytest.raises(ForeignPrefix):
        open_worker_queue(queue.connect(queue_server.url), "another:rq")
