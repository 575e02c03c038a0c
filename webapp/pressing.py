"""A press on Send test: through the door, into the database, then to the queue; or the reason why not."""

from datetime import UTC, datetime
from enum import StrEnum

from webapp import cooldown, deliveries, jobs
from webapp.access import Visit
from webapp.models import AlertDestination


class Pressed(StrEnum):
    """What came of a press."""

    ACCEPTED = "accepted"
    MAY_NOT = "may not"
    DISABLED = "disabled"
    COOLING_DOWN = "cooling down"
    TOO_MANY = "too many"
    NO_QUEUE = "no queue"


def press(visit: Visit, destination: AlertDestination, now: datetime, batch: str | None = None) -> Pressed:
    """Request one test send and hand it to the workers. Without a queue the row has ended as `queue_unavailable`.

    batch: what the row shares with those of the same press on Test all.
    """
    if not visit.role.may_test:
        return Pressed.MAY_NOT
    if not destination.is_enabled:  # before the door, so that it uses up no minute
        return Pressed.DISABLED
    try:
        with cooldown.door(destination.id, visit.account.id, visit.workspace.id):
            delivery_id = deliveries.request_test(destination, visit.account, now, batch)
    except cooldown.CoolingDown:
        return Pressed.COOLING_DOWN
    except cooldown.TooManyPresses:
        return Pressed.TOO_MANY
    except deliveries.DestinationDisabled:
        return Pressed.DISABLED
    try:
        jobs.enqueue_delivery(delivery_id)
    except jobs.QueueUnavailable:
        deliveries.fail_unqueued(delivery_id, datetime.now(UTC))
        return Pressed.NO_QUEUE
    return Pressed.ACCEPTED
