"""Decides whether a destination's drill is due, from its rows, the schedule and the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from webapp.drills.schedule_slots import (
    DAY,
    SECOND_AFTER,
    Schedule,
    Slot,
    Window,
    find_interval,
    latest_slot,
    second_time,
    time_in,
)
from webapp.models import AlertDelivery, DeliveryStatus, DrillChoice, DrillInterval, DrillNumber

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class NewestDrill(NamedTuple):
    """What decides about the next drill of a newest one, under the names of `AlertDelivery`.

    updated_at: when it ended, if it has.
    """

    id: int
    drill: DrillNumber
    status: DeliveryStatus
    updated_at: datetime


@dataclass(frozen=True)
class DrillState:
    """What decides about a destination's drills. drilled_at: when the newest one was requested, or None."""

    destination_id: int
    choice: DrillChoice
    created_at: datetime
    drilled_at: datetime | None
    newest: AlertDelivery | NewestDrill | None


@dataclass(frozen=True)
class Due:
    """A drill that is due. since: when it became due."""

    number: DrillNumber
    since: datetime


def find_due(
    schedule: Schedule, state: DrillState, accepted_at: datetime | None, window: Window, now: datetime
) -> Due | None:
    """Return the drill that is due now, in this open window, or None.

    After a failed first drill, the second one comes first. If the next slot has become due meanwhile, it counts for
    that too.
    accepted_at: when traffic last showed that the destination works, see `webapp.drills.traffic`. Then no second drill
        is needed, and for an interval no first one.
    """
    interval = find_interval(state.choice, schedule.interval)
    if interval is None or schedule.started_at is None:
        return None
    failed_at = find_failure(schedule, state, accepted_at, now)
    if failed_at is not None:
        due_at = second_time(schedule, state.destination_id, failed_at)
        return Due(DrillNumber.SECOND, due_at) if due_at and due_at <= now else None
    if state.newest is not None and state.newest.status.is_waiting:
        return None
    slot = find_open_slot(schedule, interval, state, now)
    if slot is None or _begin(slot, window, state.destination_id) > now:
        return None
    is_superfluous = accepted_at is not None and accepted_at > now - interval.duration
    return None if is_superfluous else Due(DrillNumber.FIRST, slot.due_at)


def may_be_due(schedule: Schedule, state: DrillState, window: Window, now: datetime) -> bool:
    """Check whether `find_due` could return a drill, whatever the traffic."""
    has_failed = find_failure(schedule, state, None, now) is not None
    return has_failed or find_due(schedule, state, None, window, now) is not None


def find_failure(schedule: Schedule, state: DrillState, accepted_at: datetime | None, now: datetime) -> datetime | None:
    """Return when the newest drill failed, if it was a first one whose second is still to come, or None.

    If the clock was far ahead when it failed, it counts as if it had failed an hour ago.
    accepted_at: see `find_due`.
    """
    newest = state.newest
    if newest is None or newest.drill is not DrillNumber.FIRST or newest.status is not DeliveryStatus.FAILED:
        return None
    failed_at = newest.updated_at if newest.updated_at <= now + DAY else now - SECOND_AFTER
    is_of_now = failed_at >= _find_latest([schedule.started_at], now)
    is_settled = accepted_at is not None and accepted_at > failed_at
    return failed_at if is_of_now and not is_settled else None


def find_open_slot(schedule: Schedule, interval: DrillInterval, state: DrillState, now: datetime) -> Slot | None:
    """Return the slot that became due last, if no drill was requested in its window or later.

    Earlier slots are never made up for, nor is one from before the drills were turned on or the destination was added.
    """
    slot = latest_slot(schedule, interval, state.destination_id, now)
    if slot is None or slot.due_at < _find_latest([schedule.started_at, state.created_at], now):
        return None
    return None if was_drilled(slot, interval, state, now) else slot


def was_drilled(slot: Slot, interval: DrillInterval, state: DrillState, now: datetime) -> bool:
    """Check whether a drill was requested in the slot's window or later. One that was canceled does not count.

    A time so far in the future comes from a wrong clock. If it counted, there would be no drills for a long time.
    """
    if state.drilled_at is None or state.drilled_at > now + interval.duration:
        return False
    is_canceled = state.newest is not None and state.newest.status is DeliveryStatus.CANCELED
    return state.drilled_at >= slot.window.start and not is_canceled


def _find_latest(moments: Sequence[datetime | None], now: datetime) -> datetime:
    """Return the latest moment. One that is far in the future comes from a clock that was wrong, and does not count."""
    return max((moment for moment in moments if moment and moment <= now + DAY), default=_LONG_AGO)


def _begin(slot: Slot, window: Window, destination_id: int) -> datetime:
    """Return when the slot's drill begins: when it is due, or in a later window, spread over it as all are."""
    return slot.due_at if slot.window.contains(window.start) else time_in(window, destination_id)
