"""A drill that is due, as it was found, and whether it still is once its destination is locked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.deliveries.queries import NEWEST_FIRST
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillNumber


class OtherTestWaits(Exception):
    """A test send waits or is planned, and a drill supersedes none."""


class DrillTaken(Exception):
    """Another worker has requested this drill."""


@dataclass(frozen=True)
class DueDrill:
    """A test send that the schedule of drills asks for.

    drilled_at: that of the destination when this drill was found. after: the id of its newest drill then, or None.
    """

    number: DrillNumber
    drilled_at: datetime | None
    after: int | None

    def is_still_due(self, destination: AlertDestination) -> bool:
        """Check whether nobody has requested it yet. The destination is locked."""
        newest = find_newest_drill(destination)
        return destination.drilled_at == self.drilled_at and (newest.id if newest else None) == self.after


def find_newest_drill(destination: AlertDestination) -> AlertDelivery | None:
    """Fetch a destination's newest test send that is a drill."""
    query = select(AlertDelivery).where(
        AlertDelivery.alert_destination_id == destination.id, AlertDelivery.drill.is_not(None)
    )
    return db.session.scalars(query.order_by(*NEWEST_FIRST).limit(1)).one_or_none()


def has_failed_once(newest: AlertDelivery | None) -> bool:
    """Check whether a destination's newest drill is a first one that failed, so that a second one follows."""
    return newest is not None and newest.drill is DrillNumber.FIRST and newest.status is DeliveryStatus.FAILED
