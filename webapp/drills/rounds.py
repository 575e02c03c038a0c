"""Requests the drills that are due. Several workers may do it at once, and each may be killed at any moment."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp import queue
from webapp.database.outages import describe_outage
from webapp.deliveries import CoolingDown, DestinationDisabled
from webapp.deliveries.due_drills import DrillTaken, DueDrill, OtherTestWaits
from webapp.drills.due import DrillState, Due, find_due, may_be_due
from webapp.drills.requesting import send_drill
from webapp.drills.schedule import Schedule, find_window, read_schedule
from webapp.drills.states import list_drill_states
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import AlertDestination, DrillNumber, DrillSchedule, Workspace
from webapp.sends.press_limits import TooManyTestSends

log = logging.getLogger(__name__)

# Seconds between two rounds.
ROUND_INTERVAL = 10.0

# The most drills of a workspace in a minute, also after an outage: its receivers and its limits are for people too.
MAX_PER_MINUTE = 10

# Seconds after which a round leaves the rest to the next one.
ROUND_TIME = 1.0

# Somebody else was faster, or a person's test comes first. The drill stays due, if it still is.
_NOT_NOW = (CoolingDown, OtherTestWaits, DrillTaken, DestinationDisabled, TooManyTestSends, ObjectDeletedError)


class DrillRounds:
    """Looks every few seconds for drills that are due. clock: returns seconds; the default is the monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_round_at = clock()

    def run(self, now: datetime) -> None:
        """Request the drills that are due now, unless the last round was a moment ago."""
        if self._clock() < self._next_round_at:
            return
        self._next_round_at = self._clock() + ROUND_INTERVAL
        request_due_drills(now, give_up_at=self._clock() + ROUND_TIME, clock=self._clock)


def request_due_drills(
    now: datetime, give_up_at: float | None = None, clock: Callable[[], float] = time.monotonic
) -> int:
    """Request the drills that are due in the windows that are open. Returns how many it requested.

    While the queue server cannot be used, none is requested: they stay due.
    give_up_at: when to leave the rest to the next round, on this clock; None for never.
    """
    open_now = list(_list_open_schedules(now))
    if not open_now or queue.find_problem() is not None:
        return 0
    requested = 0
    # A round that gives up must not leave out the same workspaces each time.
    first = now.second % len(open_now)
    for workspace_id, workspace, schedule in open_now[first:] + open_now[:first]:
        due, allowed = _list_due(workspace_id, schedule, now)
        for state, drill in due:
            if give_up_at is not None and clock() >= give_up_at:
                return requested
            if allowed <= 0:
                break
            is_requested = _request(workspace, state, drill, now)
            requested, allowed = requested + is_requested, allowed - is_requested
    return requested


def _list_open_schedules(now: datetime) -> Iterator[tuple[int, Workspace, Schedule]]:
    """List the workspaces with a window that is open. The id is known also if the workspace is deleted meanwhile."""
    query = select(Workspace, DrillSchedule).join(DrillSchedule, DrillSchedule.workspace_id == Workspace.id)
    running = query.where(DrillSchedule.started_at.is_not(None), Workspace.deleted_at.is_(None)).order_by(Workspace.id)
    for workspace, row in db.session.execute(running).all():
        schedule = read_schedule(row)
        if find_window(schedule, now) is not None:
            yield row.workspace_id, workspace, schedule


def _list_due(workspace_id: int, schedule: Schedule, now: datetime) -> tuple[list[tuple[DrillState, Due]], int]:
    """Return the drills that are due, and how many of them fit into this minute.

    Second ones come first, then those that wait longest. One that cannot be requested now takes no other one's place.
    """
    window = find_window(schedule, now)
    if window is None:
        return [], 0
    states = list_drill_states(workspace_id)
    # Traffic only makes a drill superfluous. Most rounds find none that could be due, and do not read it.
    possible = [state for state in states if may_be_due(schedule, state, window, now)]
    accepted = list_accepted_traffic([state.destination_id for state in possible], now) if possible else {}
    found = ((state, find_due(schedule, state, accepted.get(state.destination_id), window, now)) for state in possible)
    due = [(state, drill) for state, drill in found if drill is not None]
    due.sort(key=lambda pair: (pair[1].number is not DrillNumber.SECOND, pair[1].since, pair[0].destination_id))
    minute = timedelta(minutes=1)
    recent = sum(state.drilled_at is not None and now - minute < state.drilled_at <= now for state in states)
    return due, MAX_PER_MINUTE - recent


def _request(workspace: Workspace, state: DrillState, due: Due, now: datetime) -> int:
    """Request one drill. Returns how many were requested."""
    drill = DueDrill(due.number, state.drilled_at, state.newest.delivery_id if state.newest else None)
    facts: dict[str, object] = {"destination": state.destination_id, "drill": due.number.value}
    try:
        destination = db.session.get(AlertDestination, state.destination_id)
        delivery_id = send_drill(workspace, destination, drill, now) if destination else None
    except _NOT_NOW as reason:
        db.session.rollback()
        log.info("drill not requested", extra=facts | {"reason": type(reason).__name__})
        return 0
    except Exception as error:  # the others are due too
        db.session.rollback()
        log.error("drill failed", extra=facts | {"error": type(error).__name__, "outage": describe_outage(error)})
        return 0
    log.info("drill requested", extra=facts | {"delivery": delivery_id})
    return 1
