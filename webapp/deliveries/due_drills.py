"""A drill that is due, as it was found, and whether it still is once its destination is locked."""

from dataclasses import dataclass
from datetime import datetime

from webapp.deliveries.queries import find_newest_drill
from webapp.models import AlertDestination, DrillNumber


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
