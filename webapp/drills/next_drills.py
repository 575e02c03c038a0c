"""When the next drills are, and why a destination has none: for the page of drills.

Everything is computed from the rows, the schedule and the time. What happens until then, such as a person's test, can
only delay a drill.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from webapp.drills.due import DrillState, find_failure, find_open_slot, was_drilled
from webapp.drills.listing import DrilledDestination
from webapp.drills.schedule_slots import (
    Schedule,
    Slot,
    find_interval,
    find_window,
    list_slots,
    next_slot,
    next_window,
    second_time,
    time_in,
)
from webapp.models import DrillInterval
from webapp.presses.eligibility import pages_people

# The days of the calendar.
DAYS = 35


class NoDrill(StrEnum):
    """Why a destination has no next drill."""

    OFF = "off"
    SKIPPED = "skipped"
    DISABLED = "disabled"
    PAGES_PEOPLE = "pages people"
    NO_WINDOW = "no window"


@dataclass(frozen=True)
class NextDrill:
    """The next drill of a destination.

    at: when, or None. reason: why there is none. is_second: whether it follows a drill that failed.
    is_running: whether a drill is being sent now. spared_by: when a message was accepted, if that delays it.
    """

    at: datetime | None
    reason: NoDrill | None = None
    is_second: bool = False
    is_running: bool = False
    spared_by: datetime | None = None


@dataclass(frozen=True)
class PlannedRow:
    """A destination with its next drill."""

    drilled: DrilledDestination
    next: NextDrill


@dataclass(frozen=True)
class CalendarDay:
    """A day in the time zone of the schedule. drills: times and destinations, the earliest first."""

    day: date
    drills: Sequence[tuple[datetime, DrilledDestination]]


def plan_rows(drilled: Sequence[DrilledDestination], schedule: Schedule | None, now: datetime) -> list[PlannedRow]:
    """Return these destinations with their next drills. schedule: None if the workspace never had one."""
    return [PlannedRow(one, plan_next(one, schedule, now)) for one in drilled]


def plan_next(drilled: DrilledDestination, schedule: Schedule | None, now: datetime) -> NextDrill:
    """Return the next drill of a destination, as far as is known now."""
    if schedule is None or schedule.started_at is None:
        return NextDrill(None, NoDrill.OFF)
    interval, obstacle = find_interval(drilled.destination.drill_choice, schedule.interval), _find_obstacle(drilled)
    if interval is None or obstacle is not None:
        return NextDrill(None, obstacle or NoDrill.SKIPPED)
    state, newest = drilled.state, drilled.newest
    is_running = newest is not None and newest.status.is_waiting
    failed_at = find_failure(schedule, state, drilled.accepted_at, now)
    if failed_at is not None:
        second = _find_second(schedule, second_time(schedule, state.destination_id, failed_at), now)
        return NextDrill(second, None if second else NoDrill.NO_WINDOW, is_second=True)
    return _plan_first(schedule, interval, state, drilled.accepted_at, is_running, now)


def list_days(rows: Sequence[PlannedRow], schedule: Schedule, now: datetime) -> list[CalendarDay]:
    """Return the next five weeks, from today on, with the drills of each day."""
    today = now.astimezone(schedule.zone).date()
    end = datetime.combine(today + timedelta(days=DAYS), time(), schedule.zone).astimezone(UTC)
    days: dict[date, list[tuple[datetime, DrilledDestination]]] = {
        today + timedelta(days=number): [] for number in range(DAYS)
    }
    for row in rows:
        for at in _list_times(row, schedule, end):
            days[at.astimezone(schedule.zone).date()].append((at, row.drilled))
    return [CalendarDay(day, sorted(drills, key=_order)) for day, drills in days.items()]


def _order(drill: tuple[datetime, DrilledDestination]) -> tuple[datetime, int]:
    return drill[0], drill[1].destination.id


def _find_obstacle(drilled: DrilledDestination) -> NoDrill | None:
    destination = drilled.destination
    if not destination.is_enabled:
        return NoDrill.DISABLED
    return NoDrill.PAGES_PEOPLE if pages_people(destination.type) and not destination.drills_may_page else None


def _find_second(schedule: Schedule, due_at: datetime | None, now: datetime) -> datetime | None:
    """Return when the second drill is sent: one that was missed, as soon as a window is open."""
    if due_at is None or due_at > now:
        return due_at
    window = find_window(schedule, now) or next_window(schedule, now)
    return max(window.start, now) if window else None


def _plan_first(
    schedule: Schedule,
    interval: DrillInterval,
    state: DrillState,
    accepted_at: datetime | None,
    is_running: bool,
    now: datetime,
) -> NextDrill:
    """Return the next first drill: that of the slot that was missed, or else of the next slot."""
    missed = None if is_running else find_open_slot(schedule, interval, state, now)
    slot = missed or _find_slot_after(schedule, interval, state, now)
    at = undelayed = _begin(schedule, slot, state, now) if slot else None
    if slot and accepted_at and accepted_at + interval.duration > now:
        at = _begin(schedule, slot, state, accepted_at + interval.duration)
    if at is None:
        return NextDrill(None, NoDrill.NO_WINDOW, is_running=is_running)
    return NextDrill(at, is_running=is_running, spared_by=accepted_at if undelayed != at else None)


def _find_slot_after(schedule: Schedule, interval: DrillInterval, state: DrillState, after: datetime) -> Slot | None:
    """Return the first slot due after `after`, but none that the newest drill has served before it is due."""
    slot = next_slot(schedule, interval, state.destination_id, after)
    while slot is not None and was_drilled(slot, interval, state, slot.due_at):
        slot = next_slot(schedule, interval, state.destination_id, slot.due_at)
    return slot


def _begin(schedule: Schedule, slot: Slot, state: DrillState, earliest: datetime) -> datetime | None:
    """Return when the drill of a slot begins: in its own window, or in a later one. Not before `earliest`."""
    if earliest < slot.window.end:
        return max(slot.due_at, earliest)
    window = find_window(schedule, earliest) or next_window(schedule, earliest)
    return max(time_in(window, state.destination_id), earliest) if window else None


def _list_times(row: PlannedRow, schedule: Schedule, end: datetime) -> Iterator[datetime]:
    """Yield when the drills of a destination are, before `end`, assuming that each one is accepted."""
    interval = find_interval(row.drilled.destination.drill_choice, schedule.interval)
    at, destination_id = row.next.at, row.drilled.destination.id
    if at is None or interval is None or at >= end:
        return
    yield at
    for slot in list_slots(schedule, interval, destination_id, at, end):
        yield slot.due_at
