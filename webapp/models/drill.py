"""The table of drill schedules, and what a destination and a delivery say about drills."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime, closed_set


class DrillInterval(StrEnum):
    """How often a destination has a drill. Each is a number of whole weeks, so that drills keep their weekday."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"

    @property
    def weeks(self) -> int:
        return _WEEKS[self]

    @property
    def duration(self) -> timedelta:
        return timedelta(weeks=self.weeks)


_WEEKS = {DrillInterval.WEEKLY: 1, DrillInterval.MONTHLY: 4, DrillInterval.QUARTERLY: 13}


class DrillChoice(StrEnum):
    """What a destination has of the workspace's drills.

    FOLLOW: the workspace's interval. SKIP: none. The others: an interval of its own.
    """

    FOLLOW = "follow"
    SKIP = "skip"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class DrillNumber(StrEnum):
    """Which test send of a drill a delivery is: the second one follows an hour after the first one failed."""

    FIRST = "first"
    SECOND = "second"

    @property
    def label(self) -> str:
        """What pages call it."""
        return {DrillNumber.FIRST: "drill", DrillNumber.SECOND: "second drill"}[self]


class DrillSchedule(Base):
    """When the drills of a workspace run: on these weekdays, between these hours, in this time zone.

    started_at: when the drills were turned on; null while they are off. A drill that was due before is never made up.
    weekdays: the days on which a window begins, as the digits of ISO weekdays: "135" is Monday, Wednesday and Friday.
    from_hour, to_hour: full hours on the clock of the time zone, 0 to 23 and 1 to 24. If `to_hour` is not the later
        one, the window ends on the next day.
    time_zone: an IANA name.
    """

    __tablename__ = "drill_schedules"
    __table_args__ = (
        CheckConstraint("interval IN ('weekly', 'monthly', 'quarterly')", name="interval_known"),
        CheckConstraint("weekdays <> ''", name="has_weekday"),
        CheckConstraint("from_hour BETWEEN 0 AND 23 AND to_hour BETWEEN 1 AND 24", name="hours_of_a_day"),
    )

    workspace_id: Mapped[int] = mapped_column(Id, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    interval: Mapped[DrillInterval] = mapped_column(closed_set(DrillInterval))
    weekdays: Mapped[str] = mapped_column(String(7))
    from_hour: Mapped[int]
    to_hour: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
