"""The rules by which a test send is accepted, once its destination is locked: a press, a planned test or a drill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.deliveries.newest_deliveries import NewestTest, list_newest_drills, list_newest_tests
from webapp.deliveries.requesting.cooldown import CoolingDown, find_requested_at, seconds_left
from webapp.deliveries.requesting.planned_test_transitions import has_expired
from webapp.models import AlertDestination, DrillNumber


class DestinationDisabled(Exception):
    """The destination is disabled or deleted, so no test send is accepted."""


class OtherTestWaits(Exception):
    """A test send waits or is planned, and a drill supersedes none."""


class DrillTaken(Exception):
    """Another worker has requested this drill."""


@dataclass(frozen=True)
class WantedDrill:
    """The drill that a test send belongs to.

    drilled_at, after: when the destination's newest drill was requested, and that drill's id, as they were when this
        drill was chosen; None without an earlier drill.
    """

    number: DrillNumber
    drilled_at: datetime | None
    after: int | None

    def is_still_wanted(self, drilled_at: datetime | None, newest: int | None) -> bool:
        """Check whether nobody has requested a drill since then.

        drilled_at, newest: the current values of `drilled_at` and `after`, read while the destination is locked.
        """
        return (drilled_at, newest) == (self.drilled_at, self.after)


@dataclass(frozen=True)
class WantedTest:
    """A test send that somebody wants for a destination.

    now: when it was requested.
    settings_version: of the settings whose limits were checked; None for the current ones. If they have changed since
        then, the worker cancels the test send.
    plan_id: of the planned test that becomes this test send.
    drill: the drill that it belongs to. It supersedes nothing: a test that waits or is planned comes first.
    """

    destination: AlertDestination
    now: datetime
    settings_version: int | None = None
    plan_id: int | None = None
    drill: WantedDrill | None = None


@dataclass(frozen=True)
class RequestFacts:
    """What decides about the requests of a group, by the ids of their destinations, which are locked.

    planned: when planned tests that have not ended are due. newest_drills: their ids, read for drills only.
    """

    newest: Mapping[int, NewestTest]
    planned: Mapping[int, datetime]
    newest_drills: Mapping[int, int | None]

    def date(self, wanted: WantedTest) -> datetime:
        """Return a row's `created_at`: in the order of the presses, even if the clock was set back in between."""
        newest = self.newest.get(wanted.destination.id)
        return max(wanted.now, newest.created_at) if newest else wanted.now

    def has_waiting_plan(self, wanted: WantedTest) -> bool:
        """Return whether the destination has a planned test that still waits."""
        due_at = self.planned.get(wanted.destination.id)
        return due_at is not None and not has_expired(due_at, wanted.now)


def load_facts(wanted: Sequence[WantedTest]) -> RequestFacts:
    """Read what decides about these requests: one query, and another one for drills. Their destinations are locked."""
    newest, planned = list_newest_tests([each.destination.id for each in wanted])
    drills = [each.destination.id for each in wanted if each.drill is not None]
    return RequestFacts(newest, planned, list_newest_drills(drills) if drills else {})


def find_objection(wanted: WantedTest, facts: RequestFacts) -> Exception | None:
    """Return why a test send is refused, or None. Its destination is locked."""
    destination, drill = wanted.destination, wanted.drill
    if not destination.is_active:
        return DestinationDisabled()
    newest = facts.newest.get(destination.id)
    if seconds_left(find_requested_at(newest), wanted.now):
        return CoolingDown()
    if drill is None:
        return None
    if facts.has_waiting_plan(wanted) or (newest is not None and newest.status.is_waiting):
        return OtherTestWaits()
    is_still_wanted = drill.is_still_wanted(destination.drilled_at, facts.newest_drills.get(destination.id))
    return None if is_still_wanted else DrillTaken()
