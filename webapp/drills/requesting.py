"""Requests the drills that are due. Several workers may do it at once, and each may be killed at any moment."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp import queue
from webapp.database.outages import describe_outage
from webapp.deliveries import CoolingDown, DestinationDisabled, WantedTest
from webapp.deliveries.requesting.request_rules import DrillTaken, OtherTestWaits, WantedDrill
from webapp.drills.due import DrillState, Due, find_due, may_be_due
from webapp.drills.schedule_slots import Schedule, find_window, read_schedule
from webapp.drills.states import PAGE_SIZE, count_drilled, list_drill_states
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import AlertDestination, DrillNumber, DrillSchedule, Workspace
from webapp.presses.eligibility import RequestResult
from webapp.presses.enqueueing import enqueue_or_fail
from webapp.presses.limit_counters import TooManyTestSends
from webapp.presses.press import count_and_write

log = logging.getLogger(__name__)

# Seconds between two rounds.
ROUND_INTERVAL = 10.0

# The most drills of a workspace in a minute, also after an outage: its receivers and its limits are for people too.
MAX_PER_MINUTE = 10

# Seconds of one pass. A round of many destinations takes several passes, so that the rest of the maintenance, and the
# heartbeat after it, need not wait for all of them.
PASS_TIME = 0.025

MINUTE = timedelta(minutes=1)

_END = object()

# Somebody else was faster, or a person's test comes first. The drill stays due, if it still is.
_NOT_NOW = (CoolingDown, OtherTestWaits, DrillTaken, DestinationDisabled, TooManyTestSends, ObjectDeletedError)


class DrillRounds:
    """Looks every few seconds for drills that are due. clock: returns seconds; the default is the monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_round_at = clock()
        self._round: Round | None = None

    def run(self, now: datetime) -> None:
        """Continue the round, or begin the next one unless the last one began a moment ago."""
        started_at = self._clock()
        if self._round is None:
            if started_at < self._next_round_at:
                return
            self._next_round_at = started_at + ROUND_INTERVAL
            self._round = Round(now)
        current, self._round = self._round, None  # a round that fails is not continued
        while current.step(now):
            if self._clock() >= started_at + PASS_TIME:
                self._round = current
                return


def request_due_drills(now: datetime) -> int:
    """Request the drills that are due in the windows that are open: a whole round. Returns how many it requested."""
    whole = Round(now)
    while whole.step(now):
        pass
    return whole.requested


class Round:
    """One check of all destinations with drills, in steps of a few milliseconds. Between two, anything may change.

    While the queue server cannot be used, none is requested: they stay due.
    requested: the number of drills so far.
    """

    def __init__(self, now: datetime) -> None:
        self.requested = 0
        self._now = now
        self._steps = self._run()

    def step(self, now: datetime) -> bool:
        """Do one step, as of a time. Returns whether there is another one."""
        self._now = now
        return next(self._steps, _END) is not _END

    def _run(self) -> Iterator[None]:
        open_now = list(_list_open_schedules(self._now))
        if not open_now or queue.find_outage() is not None:
            return
        # A round that fails must not leave out the same workspaces each time.
        first = self._now.second % len(open_now)
        for workspace_id, schedule in open_now[first:] + open_now[:first]:
            yield
            yield from self._run_workspace(workspace_id, schedule)

    def _run_workspace(self, workspace_id: int, schedule: Schedule) -> Iterator[None]:
        """Request the drills of a workspace. Second ones come first, then those that wait longest.

        One that cannot be requested now does not count towards `MAX_PER_MINUTE`.
        """
        due: list[tuple[DrillState, Due]] = []
        states = list_drill_states(workspace_id)
        while len(states) == PAGE_SIZE:
            due += _find_due(schedule, states, self._now)
            yield
            states = list_drill_states(workspace_id, states[-1].destination_id + 1)
        due += _find_due(schedule, states, self._now)
        due.sort(key=lambda pair: (pair[1].number is not DrillNumber.SECOND, pair[1].since, pair[0].destination_id))
        allowed = MAX_PER_MINUTE - count_drilled(workspace_id, self._now - MINUTE, self._now) if due else 0
        for state, _ in due:
            if allowed <= 0:
                return
            yield
            is_requested = _request_if_due(workspace_id, state.destination_id, self._now)
            self.requested, allowed = self.requested + is_requested, allowed - is_requested


def _list_open_schedules(now: datetime, *conditions: ColumnElement[bool]) -> Iterator[tuple[int, Schedule]]:
    """List the workspaces with a window that is open."""
    query = select(DrillSchedule).join(Workspace, DrillSchedule.workspace_id == Workspace.id)
    running = query.where(DrillSchedule.started_at.is_not(None), Workspace.deleted_at.is_(None), *conditions)
    for row in db.session.scalars(running.order_by(DrillSchedule.workspace_id)).all():
        schedule = read_schedule(row)
        if find_window(schedule, now) is not None:
            yield row.workspace_id, schedule


def _find_due(schedule: Schedule, states: Sequence[DrillState], now: datetime) -> list[tuple[DrillState, Due]]:
    """Return the drills of these destinations that are due."""
    window = find_window(schedule, now)
    if window is None:
        return []
    # Traffic only makes a drill superfluous. Most rounds find none that could be due, and do not read it.
    possible = [state for state in states if may_be_due(schedule, state, window, now)]
    accepted = list_accepted_traffic([state.destination_id for state in possible], now) if possible else {}
    found = ((state, find_due(schedule, state, accepted.get(state.destination_id), window, now)) for state in possible)
    return [(state, drill) for state, drill in found if drill is not None]


def _request_if_due(workspace_id: int, destination_id: int, now: datetime) -> int:
    """Request the drill of a destination, unless what made it due has changed. Returns how many were requested."""
    for _, schedule in _list_open_schedules(now, DrillSchedule.workspace_id == workspace_id):
        states = list_drill_states(workspace_id, destination_id, destination_id)
        for state, drill in _find_due(schedule, states, now):
            return _request(workspace_id, state, drill, now)
    return 0


def _request(workspace_id: int, state: DrillState, due: Due, now: datetime) -> int:
    """Request one drill. Returns how many were requested."""
    drill = WantedDrill(due.number, state.drilled_at, state.newest.id if state.newest else None)
    facts: dict[str, object] = {"destination": state.destination_id, "drill": due.number.value}
    try:
        workspace = db.session.get(Workspace, workspace_id)
        destination = db.session.get(AlertDestination, state.destination_id)
        delivery_id = _send_drill(workspace, destination, drill, now) if workspace and destination else None
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


def _send_drill(workspace: Workspace, destination: AlertDestination, drill: WantedDrill, now: datetime) -> int | None:
    """Request the test send of a drill of the schedule, and enqueue it.

    Returns its id, or None if the queue did not accept it. Raises what `count_and_write` has against it.
    """
    wanted = WantedTest(destination, now, destination.settings_version, drill=drill)
    (outcome,) = count_and_write(workspace, [wanted], account=None)
    if isinstance(outcome, Exception):
        raise outcome
    is_accepted = enqueue_or_fail(outcome, requested_at=now) is RequestResult.ACCEPTED
    return outcome if is_accepted else None
