"""Enqueues deliveries, and mails to people. A job carries ids and nothing else.

It names its function by a dotted path, so that a web process imports no worker code.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from redis import Redis
from redis.exceptions import RedisError

from webapp.app_state import DeliveryJobs, app_state
from webapp.queue.outage_experiments import explain
from webapp.queue.outage_reasons import QueueUnavailable

log = logging.getLogger(__name__)

# The most deliveries in one job: few enough for worker processes to share a large batch.
BATCH_SIZE = 20

# Imported by its name, after RQ's prefix is set.
JOBS = "webapp.queue.jobs"


def load_jobs(redis: Redis, prefix: str) -> DeliveryJobs:
    """Return the jobs of an installation, and import RQ with its prefix. prefix: of RQ's keys."""
    os.environ["RQ_KEY_PREFIX"] = prefix
    jobs: DeliveryJobs = import_module(JOBS).JobQueue(redis, prefix)
    return jobs


def enqueue_deliveries(*delivery_ids: int) -> None:
    """Enqueue committed deliveries, all of them or none. Raises `QueueUnavailable`."""
    if not delivery_ids:
        return
    batches = [delivery_ids[first : first + BATCH_SIZE] for first in range(0, len(delivery_ids), BATCH_SIZE)]
    with _explaining(deliveries=len(delivery_ids)):
        app_state().jobs.enqueue(batches)


def enqueue_account_mails(*mail_ids: int) -> None:
    """Enqueue committed mails to people. Raises `QueueUnavailable`."""
    if not mail_ids:
        return
    with _explaining(mails=len(mail_ids)):
        app_state().jobs.enqueue_account_mails(mail_ids)


@contextmanager
def _explaining(**counts: int) -> Iterator[None]:
    """Log why the queue server cannot be used, and raise `QueueUnavailable`."""
    try:
        yield
    except RedisError as error:
        settings = app_state().settings
        outage = explain(error, settings.redis_url, settings.ca_file)
        facts = counts | {"error": type(error).__name__, "reason": outage.sentence}
        log.error("queue server unavailable", extra=facts)
        raise QueueUnavailable(outage) from None
