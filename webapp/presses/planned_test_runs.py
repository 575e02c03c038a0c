"""Requests planned tests once they are due, or ends them and records why. Part of a worker's maintenance."""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, or_, select
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.audit import Action, Result, record_destination_event
from webapp.auth.access import Visit
from webapp.database.outages import describe_outage
from webapp.deliveries.requesting.cooldown import COOLDOWN
from webapp.deliveries.requesting.planned_test_transitions import (
    PlanGone,
    end_planned_test_by_id,
    is_open,
)
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, PlanEnd, PlannedTest, Role, Workspace
from webapp.presses.eligibility import RequestResult
from webapp.presses.enqueueing import enqueue_or_fail
from webapp.presses.press import Refused, request_within_limits

log = logging.getLogger(__name__)

# How long an ended planned test is kept, so that pages can say why it ended.
KEPT_FOR = timedelta(days=1)

# Planned tests that are read, or forgotten, at once.
PAGE_SIZE = 100

# Seconds of one pass. The next one, which begins at once, continues.
PASS_TIME = 0.025

# How a planned test ends if its press is refused for this reason. A press during the cooldown leaves it waiting.
ENDS = {
    RequestResult.NOT_ALLOWED: PlanEnd.NOT_ALLOWED,
    RequestResult.DISABLED: PlanEnd.DISABLED,
    RequestResult.MEMBER_LIMIT: PlanEnd.MEMBER_LIMIT,
    RequestResult.WORKSPACE_LIMIT: PlanEnd.WORKSPACE_LIMIT,
    RequestResult.TARGET_LIMIT: PlanEnd.TARGET_LIMIT,
    RequestResult.NOT_CONFIRMED: PlanEnd.NOT_CONFIRMED,
}


@dataclass(frozen=True)
class _DuePlan:
    """A planned test that is due, with what decides about it. role: None if its planner is no longer a member."""

    plan_id: int
    destination_id: int
    plan: PlannedTest
    destination: AlertDestination
    workspace: Workspace
    account: Account
    role: Role | None


class PlannedTestRuns:
    """Requests every planned test that is due, as if its planner pressed now, or ends it and records why not.

    Several workers may do it at once, and each may be killed at any moment: the test send is written and its plan
    deleted in one transaction. clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: deque[int] = deque()

    def run(self, now: datetime) -> bool:
        """Continue with the tests that were due, or look up those that are. Returns whether it left any for later."""
        give_up_at = self._clock() + PASS_TIME
        if not self._due:
            self._due.extend(db.session.scalars(_DUE_IDS, _due_times(now)))
        while self._due:
            _try(self._due.popleft(), now)
            if self._clock() >= give_up_at:
                break
        if not self._due:
            _forget_ended(now - KEPT_FOR)
        return bool(self._due)


# Built once, because a worker executes them every second.
_IS_DUE = PlannedTest.ended_at.is_(None) & or_(
    PlannedTest.due_at <= bindparam("now"), PlannedTest.due_at > bindparam("far")
)


_DUE_IDS = select(PlannedTest.id).where(_IS_DUE).order_by(PlannedTest.due_at).limit(PAGE_SIZE)


_DUE = (
    select(PlannedTest.id, AlertDestination.id, PlannedTest, AlertDestination, Workspace, Account, Member.role)
    .join(AlertDestination, AlertDestination.id == PlannedTest.alert_destination_id)
    .join(Workspace, Workspace.id == PlannedTest.workspace_id)
    .join(Account, Account.id == PlannedTest.planned_by_id)
    .outerjoin(Member, and_(Member.workspace_id == Workspace.id, Member.account_id == Account.id))
    .where(PlannedTest.id == bindparam("plan_id"), _IS_DUE)
)


_ENDED = select(PlannedTest.id).where(PlannedTest.ended_at < bindparam("until")).limit(PAGE_SIZE)


def _due_times(now: datetime) -> dict[str, datetime]:
    return {"now": now, "far": now + COOLDOWN}


def _try(plan_id: int, now: datetime) -> None:
    try:
        found = db.session.execute(_DUE, {"plan_id": plan_id, **_due_times(now)}).one_or_none()
        if found is not None:
            _run(_DuePlan(*found), now)
    except (PlanGone, ObjectDeletedError):  # canceled, requested by another worker, or deleted with its workspace
        db.session.rollback()
    except Exception as error:  # the others are due too, and this one expires
        db.session.rollback()
        log.error("planned test failed", extra=_describe(error) | {"plan": plan_id})


def _run(due: _DuePlan, now: datetime) -> None:
    if not is_open(due.plan, now):
        _end(due, PlanEnd.EXPIRED, now)
        return
    if due.role is None or not due.account.is_active:
        _end(due, PlanEnd.NOT_ALLOWED, now)
        return
    visit = Visit(due.account, due.workspace, due.role)
    try:
        delivery_id = request_within_limits(
            visit, due.destination, now, plan_id=due.plan_id, confirms_paging=due.plan.confirms_paging
        )
    except Refused as refused:
        if refused.reason in ENDS:
            _end(due, ENDS[refused.reason], now)
        return
    enqueue_or_fail(delivery_id, requested_at=now)
    log.info("planned test requested", extra={"destination": due.destination_id, "delivery": delivery_id})


def _end(due: _DuePlan, reason: PlanEnd, now: datetime) -> None:
    if end_planned_test_by_id(due.plan_id, reason, now):
        words = [reason.value.replace("_", " ")]
        record_destination_event(due.destination, due.account, Action.PLAN_ENDED, now, words, Result.REFUSED)
    db.session.commit()


def _describe(error: Exception) -> dict[str, object]:
    return {"error": type(error).__name__, "outage": describe_outage(error)}


def _forget_ended(until: datetime) -> None:
    old = db.session.scalars(_ENDED, {"until": until}).all()
    if old:
        db.session.execute(delete(PlannedTest).where(PlannedTest.id.in_(old)))
        db.session.commit()
