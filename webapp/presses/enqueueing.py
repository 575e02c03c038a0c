"""Enqueues requested test sends, or ends them if the queue server is gone."""

from datetime import datetime

from webapp import deliveries, queue
from webapp.models import database_clock
from webapp.presses.eligibility import RequestResult


def enqueue_or_fail(*delivery_ids: int, requested_at: datetime) -> RequestResult:
    """Enqueue requested test sends. If the queue is unavailable, their rows end as `queue_unavailable`."""
    try:
        queue.enqueue_deliveries(*delivery_ids)
    except queue.QueueUnavailable:
        deliveries.fail_unqueued(delivery_ids, database_clock.now())
        return RequestResult.QUEUE_UNAVAILABLE
    deliveries.keep_record_sometimes(requested_at)
    return RequestResult.ACCEPTED
