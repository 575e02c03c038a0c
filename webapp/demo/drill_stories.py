"""What happened to the demo's destinations in the past year: which drills failed, and what people did about it."""

from dataclasses import dataclass
from datetime import timedelta

from webapp.audit import Action
from webapp.failures import Code

# How long ago the workspaces and their first destinations were added.
AGE = timedelta(weeks=56)

# The weeks, counted back from today, in which drills ran.
FIRST_WEEK, LAST_WEEK = 54, 5


@dataclass(frozen=True)
class DrillStory:
    """The drills of a destination. Weeks are counted back from today.

    every: the weeks from one drill to the next. failed: why a week's drill failed, and whether its second drill did.
    seen, missing: the weeks whose message a person saw, or reported missing. acts: what people did, by week.
    until: the last week with drills.
    """

    every: int = 1
    until: int = LAST_WEEK
    failed: tuple[tuple[int, Code, bool], ...] = ()
    seen: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    acts: tuple[tuple[int, Action, str], ...] = ()
    needs_confirmation: bool = False


STORIES = {
    "Operations channel": DrillStory(failed=((20, Code.REMOTE_UNAVAILABLE, False),), seen=(12,)),
    "On-call email": DrillStory(missing=(16,), seen=(15,), acts=((16, Action.CHANGED, "recipients"),)),
    "Old ticket system": DrillStory(
        failed=((30, Code.NOT_FOUND, True),), acts=((30, Action.CHANGED, "address"),), until=9
    ),
    "Night shift channel": DrillStory(every=4, until=10),
    "Harbor incidents": DrillStory(every=4, seen=tuple(range(54, 6, -4)), needs_confirmation=True),
    "Dispatch team": DrillStory(acts=((26, Action.DISABLED, ""), (24, Action.ENABLED, ""))),
    "Harbor pager bridge": DrillStory(
        failed=((19, Code.REMOTE_UNAVAILABLE, True), (18, Code.REMOTE_UNAVAILABLE, True)), until=18
    ),
    "Duty doctor email": DrillStory(every=4),
    "Lab system": DrillStory(every=4, failed=((38, Code.REMOTE_UNAVAILABLE, False),)),
    "Clinic space": DrillStory(every=4),
    "Clinic alerts": DrillStory(every=4, seen=(34,)),
}

# Deleted in the year, so that only its tests are left.
DELETED = "Harbor pager bridge"
DELETED_WEEK = 17
