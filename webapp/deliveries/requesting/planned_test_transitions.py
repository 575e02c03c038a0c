"""Planned tests: until when one waits, and how it ends. Every change is one conditional statement."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from webapp.deliveries.requesting.cooldown import COOLDOWN
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, PlanEnd, PlannedTest, Role
from webapp.models.id_list import IsOneOf
from webapp.models.row_changes import change_rows

log = logging.getLogger(__name__)

# A planned test that is this late expires: whoever planned it no longer waits for its message.
MAX_DELAY = timedelta(minutes=2)

_IS_OPEN = PlannedTest.ended_at.is_(None)
_IS_FOR_ONE_OF = IsOneOf(PlannedTest.alert_destination_id, "destination_ids")


class PlanRow(NamedTuple):
    """What pages read of a planned test, under the names of `PlannedTest`. planner: the name of who planned it."""

    due_at: datetime
    ended_at: datetime | None
    end_reason: PlanEnd | None
    ended_by: str | None
    planner: str


# In the order of `PlanRow`.
PLAN_COLUMNS = (
    PlannedTest.due_at,
    PlannedTest.ended_at,
    PlannedTest.end_reason,
    PlannedTest.ended_by,
    select(Account.name).where(Account.id == PlannedTest.planned_by_id).correlate(PlannedTest).scalar_subquery(),
)


class PlanGone(Exception):
    """The planned test has ended, or another worker has requested its test send."""


def is_due(plan: PlannedTest | PlanRow, now: datetime) -> bool:
    """Return whether a planned test is to be requested now. One far in the future (a clock was set back) is due."""
    return plan.due_at <= now or plan.due_at > now + COOLDOWN


def is_open(plan: PlannedTest | PlanRow, now: datetime) -> bool:
    """Return whether a planned test still waits, whether or not a worker is alive to end it."""
    return plan.ended_at is None and not has_expired(plan.due_at, now)


def has_expired(due_at: datetime, now: datetime) -> bool:
    """Return whether a planned test is too late for whoever planned it. due_at: when it was to be requested."""
    return now >= due_at + MAX_DELAY


def find_planned_test(destination: AlertDestination, now: datetime) -> PlannedTest | None:
    """Fetch the planned test that waits for a destination's cooldown."""
    query = select(PlannedTest).where(PlannedTest.alert_destination_id == destination.id)
    planned = db.session.scalars(query).one_or_none()
    return planned if planned is not None and is_open(planned, now) else None


def take_planned_test(plan_id: int) -> None:
    """Delete an open planned test, in the transaction that writes its test send. Raises `PlanGone`."""
    statement = delete(PlannedTest).where(PlannedTest.id == plan_id, _IS_OPEN)
    if change_rows(statement) != 1:
        raise PlanGone


def end_planned_test(destination: AlertDestination, reason: PlanEnd, now: datetime, by: str | None = None) -> bool:
    """End a destination's planned test, in the caller's transaction. Returns whether it was open.

    by: the name of the member who ends it, if one does.
    """
    return _end(PlannedTest.alert_destination_id == destination.id, reason, now, by) > 0


def replace_planned_tests(destination_ids: Sequence[int], now: datetime, by: str) -> None:
    """End the planned tests of destinations that are tested now, in the caller's transaction. One statement."""
    _end(_IS_FOR_ONE_OF, PlanEnd.REPLACED, now, by, {"destination_ids": destination_ids})


def end_planned_test_by_id(plan_id: int, reason: PlanEnd, now: datetime) -> bool:
    """End one planned test, in the caller's transaction. Returns whether it was open."""
    return _end(PlannedTest.id == plan_id, reason, now) > 0


def count_planned_tests_of(account_id: int, workspace_id: int, now: datetime) -> int:
    """Count the tests that an account has planned in a workspace and that still wait."""
    is_theirs = (PlannedTest.planned_by_id == account_id) & (PlannedTest.workspace_id == workspace_id)
    waits = is_theirs & _IS_OPEN & (PlannedTest.due_at > now - MAX_DELAY)
    return db.session.scalar(select(func.count()).select_from(PlannedTest).where(waits)) or 0


def end_planned_tests_of(account_id: int, now: datetime, workspace_id: int | None) -> None:
    """End what an account has planned and may no longer test, in the caller's transaction.

    workspace_id: where; None for everywhere.
    """
    is_theirs = PlannedTest.planned_by_id == account_id
    _end(
        is_theirs if workspace_id is None else is_theirs & (PlannedTest.workspace_id == workspace_id),
        PlanEnd.NOT_ALLOWED,
        now,
    )


def end_planned_tests_without_right(account_id: int, now: datetime) -> None:
    """End what an account has planned where it may no longer test, in the caller's transaction."""
    members = (Member.workspace_id == PlannedTest.workspace_id, Member.account_id == account_id)
    may_test = exists().where(*members, Member.role.in_([role for role in Role if role.may_test]))
    _end((PlannedTest.planned_by_id == account_id) & ~may_test, PlanEnd.NOT_ALLOWED, now)


def _end(
    which: ColumnElement[bool],
    reason: PlanEnd,
    now: datetime,
    by: str | None = None,
    parameters: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    db.session.flush()  # locks the changed destination or member before its planned test is looked for
    # In the order of their ids, as whoever else ends several: no two wait for each other.
    locked = select(PlannedTest.id).where(which, _IS_OPEN).order_by(PlannedTest.id).with_for_update(key_share=True)
    ending = update(PlannedTest).where(PlannedTest.id.in_(locked), _IS_OPEN)
    statement = ending.values(ended_at=now, end_reason=reason, ended_by=by)
    returning = statement.returning(PlannedTest.alert_destination_id).execution_options(synchronize_session=False)
    ended = db.session.scalars(returning, parameters).all()
    for destination_id in ended:
        log.info("planned test ended", extra={"destination": destination_id, "reason": reason.value})
    return len(ended)


def withdraw_paging_confirmation(destination: AlertDestination) -> None:
    """Take back that a destination's planned test may page people: with new settings it may page others.

    In the caller's transaction.
    """
    is_confirmed = (PlannedTest.alert_destination_id == destination.id) & PlannedTest.confirms_paging
    withdrawn = update(PlannedTest).where(is_confirmed, _IS_OPEN).values(confirms_paging=False)
    db.session.execute(withdrawn.execution_options(synchronize_session=False))
