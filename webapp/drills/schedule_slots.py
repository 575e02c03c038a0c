"""The windows of a schedule of drills, and the slot that each destination has in each window.

Everything is computed from the schedule, the destination's id and the time, so nothing has to be remembered, and
several workers come to the same result.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from webapp.models import DrillChoice, DrillInterval, DrillSchedule
from webapp.time_zones import find_zone

# How long after a failed first drill the second one follows.
SECOND_AFTER = timedelta(hours=1)

# A window at least this long has room for the second drill.
ROOM_FOR_TWO = timedelta(hours=2)

# How long before its latest time a drill is due, so that a busy worker or a full minute still leaves time for it.
SLACK = timedelta(minutes=15)

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """A time in which drills may be requested, from `start` until just before `end`, in UTC."""

    start: datetime
    end: datetime

    def contains(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True)
class Slot:
    """When a destination's drill is due, and in which window."""

    due_at: datetime
    window: Window


@dataclass(frozen=True, eq=False)
class Schedule:
    """The drills of a workspace. weekdays: ISO weekdays on which a window begins, in order. See `DrillSchedule`.

    Compared by identity, which is fast: `_window_on` caches by schedule, for each of thousands of destinations.
    """

    interval: DrillInterval
    weekdays: tuple[int, ...]
    from_hour: int
    to_hour: int
    zone: ZoneInfo
    started_at: datetime | None


def read_schedule(row: DrillSchedule) -> Schedule:
    """Return the schedule of a row. Where this machine does not know its time zone, UTC applies."""
    zone = find_zone(row.time_zone) or ZoneInfo("UTC")
    weekdays = tuple(sorted(map(int, row.weekdays)))
    return Schedule(row.interval, weekdays, row.from_hour, row.to_hour, zone, row.started_at)


def find_interval(choice: DrillChoice, of_workspace: DrillInterval) -> DrillInterval | None:
    """Return how often a destination has a drill; None for never."""
    if choice is DrillChoice.SKIP:
        return None
    return of_workspace if choice is DrillChoice.FOLLOW else DrillInterval(choice)


def find_window(schedule: Schedule, now: datetime) -> Window | None:
    """Return the window that is open now, or None. It began today or yesterday."""
    return next((window for window in _windows(schedule, now, (0, -1)) if window.contains(now)), None)


def next_window(schedule: Schedule, after: datetime) -> Window | None:
    """Return the first window that begins at this time or later. None if none does within five weeks."""
    return next((window for window in _windows(schedule, after, range(-1, 36)) if window.start >= after), None)


def latest_window(schedule: Schedule, now: datetime) -> Window | None:
    """Return the window that ended last. None if none did within five weeks."""
    return next((window for window in _windows(schedule, now, range(0, -37, -1)) if window.end <= now), None)


def latest_slot(schedule: Schedule, interval: DrillInterval, destination_id: int, now: datetime) -> Slot | None:
    """Return the slot that became due last. None if there was none, as at the beginning of the calendar."""
    week = _week(schedule, now) + 1
    return next((slot for slot in _slots(schedule, interval, destination_id, week, -1) if slot.due_at <= now), None)


def next_slot(schedule: Schedule, interval: DrillInterval, destination_id: int, now: datetime) -> Slot | None:
    """Return the slot that becomes due next."""
    week = _week(schedule, now) - 1
    return next((slot for slot in _slots(schedule, interval, destination_id, week, 1) if slot.due_at > now), None)


def list_slots(
    schedule: Schedule, interval: DrillInterval, destination_id: int, after: datetime, end: datetime
) -> Iterator[Slot]:
    """Yield the slots whose windows begin after a time and that are due before `end`, five weeks later at most."""
    week = _week(schedule, after) - 1
    for slot in _slots(schedule, interval, destination_id, week, 1, most=8):
        if slot.due_at >= end:
            return
        if slot.window.start > after:
            yield slot


def time_in(window: Window, destination_id: int) -> datetime:
    """Return the time in a window at which a destination's drill is due: early enough for the second one, if it can be.

    The times of many destinations are spread evenly.
    """
    length = window.end - window.start
    reserve = SECOND_AFTER + SLACK if length >= ROOM_FOR_TWO else min(SLACK, length / 2)
    return window.start + (length - reserve) * (_number(destination_id, "time") / 2**64)


def second_time(schedule: Schedule, destination_id: int, failed_at: datetime) -> datetime | None:
    """Return when the second drill is due: an hour after the first one, or in the next window, if none is open then."""
    an_hour_later = failed_at + SECOND_AFTER
    window = find_window(schedule, an_hour_later)
    if window is not None and window.contains(failed_at):
        return an_hour_later
    if window is not None:  # another window has begun meanwhile
        return max(an_hour_later, time_in(window, destination_id))
    following = next_window(schedule, an_hour_later)
    return time_in(following, destination_id) if following else None


def _windows(schedule: Schedule, moment: datetime, days: Iterable[int]) -> Iterator[Window]:
    """Yield the windows that begin on these days, in this order. days: counted from the day of the moment."""
    today = _day(schedule, moment)
    for number in days:
        window = _window_on(schedule, today + number * DAY)
        if window is not None:
            yield window


@lru_cache(maxsize=2**10)  # the same few days for all destinations of a workspace
def _window_on(schedule: Schedule, day: date) -> Window | None:
    """Return the window that begins on a day. None if none does, also where its clock skips the whole window."""
    if day.isoweekday() not in schedule.weekdays:
        return None
    until = day if schedule.to_hour > schedule.from_hour else day + DAY
    start = _instant(schedule.zone, day, schedule.from_hour)
    end = _instant(schedule.zone, until, schedule.to_hour)
    return Window(start, end) if start < end else None


def _instant(zone: ZoneInfo, day: date, hour: int) -> datetime:
    """Return the instant at which a clock of the zone shows this hour, the first time if it does twice.

    An hour that the clock skips is the one that it shows instead.
    """
    local = datetime.combine(day + DAY * (hour // 24), time(hour % 24), zone)
    return local.astimezone(UTC)


def _slots(
    schedule: Schedule, interval: DrillInterval, destination_id: int, week: int, direction: int, most: int = 5
) -> Iterator[Slot]:
    """Return a destination's slots, beginning with a week: later ones (1) or earlier ones (-1).

    A week in which its window does not exist has no slot.
    """
    step = direction * interval.weeks
    offset = _number(destination_id, "week") % interval.weeks
    first = week + (offset - week) % step
    for number in range(most):
        slot = _slot_in(schedule, destination_id, first + number * step)
        if slot is not None:
            yield slot


def _slot_in(schedule: Schedule, destination_id: int, week: int) -> Slot | None:
    weekday = schedule.weekdays[_number(destination_id, "weekday") % len(schedule.weekdays)]
    day = date.fromordinal(week * 7 + weekday)
    window = _window_on(schedule, day)
    return Slot(time_in(window, destination_id), window) if window else None


def _day(schedule: Schedule, moment: datetime) -> date:
    return moment.astimezone(schedule.zone).date()


def _week(schedule: Schedule, moment: datetime) -> int:
    """Return the number of a week; day 1 of the calendar was a Monday."""
    return (_day(schedule, moment).toordinal() - 1) // 7


@lru_cache(maxsize=2**15)  # of about 10,000 destinations, every few seconds
def _number(destination_id: int, purpose: str) -> int:
    digest = hashlib.sha256(f"{purpose} of drill {destination_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
