"""A press on Send test: through the door, into the database, then to the queue; or the reason why not."""

from datetime import UTC, datetime
from enum import StrEnum

from webapp import deliveries, queue
from webapp.auth.access import Visit
from webapp.models import AlertDestination
from webapp.sends import rate_limit


class RequestResult(StrEnum):
    """What came of a press."""

    ACCEPTED = "accepted"
    NOT_ALLOWED = "may not"
    DISABLED = "disabled"
    COOLING_DOWN = "cooling down"
    TOO_MANY_REQUESTS = "too many"
    QUEUE_UNAVAILABLE = "no queue"


class Refused(Exception):
    """Nothing was requested. why: the reason."""

    def __init__(self, why: RequestResult) -> None:
        super().__init__(why)
        self.why = why


def press(visit: Visit, destination: AlertDestination, now: datetime) -> RequestResult:
    """Request one test send and hand it to the workers."""
    try:
        delivery_id = request(visit, destination, now)
    except Refused as refused:
        return refused.why
    return hand_over(delivery_id)


def request(visit: Visit, destination: AlertDestination, now: datetime, batch: str | None = None) -> int:
    """Write one test send down and return its id. Raises `Refused`.

    batch: what the row shares with those of the same press on Test all.
    """
    if not visit.role.may_test:
        raise Refused(RequestResult.NOT_ALLOWED)
    if not destination.is_enabled:  # before the door, so that it uses up no minute
        raise Refused(RequestResult.DISABLED)
    try:
        with rate_limit.enforce_limits(destination.id, visit.account.id, visit.workspace.id):
            return deliveries.request_test(destination, visit.account, now, batch)
    except rate_limit.CoolingDown:
        raise Refused(RequestResult.COOLING_DOWN) from None
    except rate_limit.TooManyTestSends:
        raise Refused(RequestResult.TOO_MANY_REQUESTS) from None
    except deliveries.DestinationDisabled:
        raise Refused(RequestResult.DISABLED) from None


def hand_over(*delivery_ids: int) -> RequestResult:
    """Hand requested test sends to the workers. Without a queue their rows end as `queue_unavailable`."""
    try:
        queue.enqueue_deliveries(*delivery_ids)
    except queue.QueueUnavailable:
        for delivery_id in delivery_ids:
            deliveries.fail_unqueued(delivery_id, datetime.now(UTC))
        return RequestResult.QUEUE_UNAVAILABLE
    return RequestResult.ACCEPTED
