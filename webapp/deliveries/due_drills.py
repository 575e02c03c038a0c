"""A drill that is due, as it was found, and whether it still is once its destination is locked."""

from dataclasses import dataclass
from datetime import datetime

from webapp.models import DrillNumber


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

    def is_still_due(self, drilled_at: datetime | None, newest: int | None) -> bool:
        """Check whether nobody has requested it yet.

        drilled_at, newest: the same as `drilled_at` and `after`, as they are now that the destination is locked.
        """
        return (drilled_at, newest) == (self.drilled_at, self.after)
