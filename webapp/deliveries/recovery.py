"""Move on what waits: try deferred rows again, hand forgotten rows to the queue, end what nobody will end.

Runs every second beside each worker. It trusts the rows alone, so it also mends what a lost or emptied queue forgot.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import load_only

from webapp.deliveries.attempts import add_lost_attempt
from webapp.deliveries.retry_policy import RetryPolicy, find_retry_policy
from webapp.deliveries.transitions import (
    EXPIRE,
    LOST_AFTER,
    MARK_LOST,
    REQUEUE,
    RESUME,
    Transition,
    apply_transition,
    error_columns,
)
from webapp.deliveries.wait_tracker import WaitTracker
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

REQUEUE_AFTER = timedelta(seconds=10)
"""A queued row untouched for this long is handed to the queue again; the claim still lets it be sent only once."""

MAX_ROWS_PER_PASS = 500
"""Rows moved on in one pass, those first that have waited longest; the others have their turn a second later."""

_LOOKED_AT = load_only(
    AlertDelivery.event_type,
    AlertDelivery.status,
    AlertDelivery.created_at,
    AlertDelivery.updated_at,
    AlertDelivery.send_after,
    AlertDelivery.attempt_started_at,
    AlertDelivery.attempt_count,
)


@dataclass(frozen=True)
class PlannedTransition:
    """What becomes of a row whose time has come."""

    transition: Transition
    facts: dict[str, Any] = field(default_factory=dict)


def recover(now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker) -> list[int]:
    """Move on every row whose time has come, and return the ids to enqueue. Several workers share the rows.

    wait_tracker: kept from one pass to the next.
    """
    rows = _list_waiting(now, app_settings)
    wait_tracker.observe(rows)
    due = [(row, planned) for row in rows if (planned := _plan_transition(row, now, app_settings, wait_tracker))]
    moved = [(row.id, planned.transition) for row, planned in due[:MAX_ROWS_PER_PASS] if _apply(planned, row, now)]
    db.session.commit()
    for delivery_id, transition in moved:
        log.info("recovered", extra={"delivery": delivery_id, "transition": transition.name})
    return [delivery_id for delivery_id, transition in moved if transition in (RESUME, REQUEUE)]


def is_overdue(row: AlertDelivery, now: datetime, app_settings: AppSettings) -> bool:
    """Whether a row waits although its patience is over by the wall clock, so that a worker should have ended it."""
    policy = find_retry_policy(row.event_type, app_settings)
    is_waiting = row.status in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
    return is_waiting and policy is not None and now - row.created_at >= policy.time_limit


def end_waiting(row: AlertDelivery, now: datetime) -> bool:
    """End a row that has not ended, and commit. Returns whether it has ended now."""
    has_ended = _apply(_end(row), row, now)
    db.session.commit()
    return has_ended


def _plan_transition(
    row: AlertDelivery, now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker
) -> PlannedTransition | None:
    """Say what becomes of a waiting row by itself, or None if its time has not come.

    An attempt's time is told by the clock clock alone: a worker in the middle of a send must not be given up on
    because the wall clock was set. What only waits may be ended or tried by either clock, whichever is earlier.
    """
    policy = find_retry_policy(row.event_type, app_settings)
    if policy is None:
        return None
    if row.attempt_started_at is not None:
        return _end(row) if wait_tracker.time_unchanged(row) >= LOST_AFTER else None
    if is_overdue(row, now, app_settings) or wait_tracker.time_since_first_seen(row) >= policy.time_limit:
        return _end(row)
    waited = max(now - row.updated_at, wait_tracker.time_unchanged(row))
    if row.send_after is not None and row.status is DeliveryStatus.DEFERRED:
        return PlannedTransition(RESUME) if waited >= row.send_after - row.updated_at else None
    return PlannedTransition(REQUEUE) if waited >= REQUEUE_AFTER else None


def _end(row: AlertDelivery) -> PlannedTransition:
    if row.attempt_started_at is not None:
        return PlannedTransition(
            MARK_LOST, error_columns(Code.WORKER_LOST) | {"attempts": add_lost_attempt(row, row.attempt_started_at)}
        )
    # After an attempt, what happened last is the reason, and it stands in the row.
    return PlannedTransition(EXPIRE, error_columns(Code.NOT_STARTED) if row.attempt_count == 0 else {})


def _apply(planned: PlannedTransition, row: AlertDelivery, now: datetime) -> bool:
    return apply_transition(
        planned.transition, row.id, now, _IS_UNMOVED, {"last_update": row.updated_at}, **planned.facts
    )


_IS_UNMOVED = AlertDelivery.updated_at == bindparam("last_update")


def _list_waiting(now: datetime, app_settings: AppSettings) -> Sequence[AlertDelivery]:
    """Fetch every test send that waits, and the real alerts whose time has come, if they are ours to send."""
    waiting = select(AlertDelivery).where(IS_WAITING, _is_ours(now, find_retry_policy("any alert", app_settings)))
    oldest_first = waiting.order_by(AlertDelivery.updated_at).options(_LOOKED_AT)
    return db.session.scalars(oldest_first.execution_options(populate_existing=True)).all()


def _is_ours(now: datetime, real_alerts: RetryPolicy | None) -> ColumnElement[bool]:
    is_test = AlertDelivery.event_type == TEST_EVENT
    if real_alerts is None:
        return is_test
    # Of those that are deferred for hours there can be very many.
    is_due = or_(
        AlertDelivery.status == DeliveryStatus.QUEUED,
        AlertDelivery.send_after <= now,
        AlertDelivery.created_at <= now - real_alerts.time_limit,
    )
    return is_test | is_due
