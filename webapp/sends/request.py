"""Handles a press on Send test: checks it, writes the row within the limits and enqueues it, or refuses it."""

from datetime import UTC, datetime

from webapp import deliveries, queue
from webapp.auth.access import Visit
from webapp.models import AlertDestination
from webapp.sends import rate_limit
from webapp.sends.eligibility import RequestResult, find_refusal


class Refused(Exception):
    """The request was refused, and no test send was written. reason: why."""

    def __init__(self, reason: RequestResult) -> None:
        super().__init__(reason)
        self.reason = reason


def press(visit: Visit, destination: AlertDestination, now: datetime) -> RequestResult:
    """Request one test send and enqueue it."""
    try:
        delivery_id = request_within_limits(visit, destination, now)
    except Refused as refused:
        return refused.reason
    return enqueue_or_fail(delivery_id)


def request_within_limits(visit: Visit, destination: AlertDestination, now: datetime, batch: str | None = None) -> int:
    """Write one test send and return its id. Raises `Refused`.

    batch: shared by all test sends of one press on Test all.
    """
    # Checked before the limits, so that a refusal does not use up the cooldown.
    refusal = find_refusal(visit.role, destination, None, now)
    if refusal is not None:
        raise Refused(refusal)
    try:
        with rate_limit.enforce_limits(destination.id, visit.account.id, visit.workspace.id):
            return deliveries.request_test(destination, visit.account, now, batch)
    except deliveries.CoolingDown:
        raise Refused(RequestResult.COOLING_DOWN) from None
    except rate_limit.TooManyTestSends:
        raise Refused(RequestResult.TOO_MANY_REQUESTS) from None
    except deliveries.DestinationDisabled:
        raise Refused(RequestResult.DISABLED) from None


def enqueue_or_fail(*delivery_ids: int) -> RequestResult:
    """Enqueue requested test sends. If the queue is unavailable, their rows end as `queue_unavailable`."""
    try:
        queue.enqueue_deliveries(*delivery_ids)
    except queue.QueueUnavailable:
        for delivery_id in delivery_ids:
            deliveries.fail_unqueued(delivery_id, datetime.now(UTC))
        return RequestResult.QUEUE_UNAVAILABLE
    return RequestResult.ACCEPTED
