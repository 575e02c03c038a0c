"""Recovery: once a second, resumes due retries, requeues unclaimed rows, and ends rows that would never end.

Runs in the supervisor of every worker. It reads only the rows, so it also recovers jobs that the queue has lost.
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

# A row that stays unclaimed this long is enqueued again. The claim still ensures that it is sent only once.
REQUEUE_AFTER = timedelta(seconds=10)

# The most rows that one pass updates, longest unchanged first. The next pass, a second later, continues.
MAX_ROWS_PER_PASS = 500

_NEEDED_COLUMNS = load_only(
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
    """A transition that is due, with the columns it sets."""

    transition: Transition
    columns: dict[str, Any] = field(default_factory=dict)


def recover(now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker) -> list[int]:
    """Apply every due transition, commit, and return the ids to enqueue. Several workers may run it at once.

    wait_tracker: the same object for every pass of a process.
    """
    rows = _list_waiting(now, app_settings)
    wait_tracker.observe(rows)
    due = [(row, planned) for row in rows if (planned := _plan_transition(row, now, app_settings, wait_tracker))]
    applied = [(row.id, planned.transition) for row, planned in due[:MAX_ROWS_PER_PASS] if _apply(planned, row, now)]
    db.session.commit()
    for delivery_id, transition in applied:
        log.info("delivery recovered", extra={"delivery": delivery_id, "transition": transition.name})
    return [delivery_id for delivery_id, transition in applied if transition in (RESUME, REQUEUE)]


def is_overdue(row: AlertDelivery, now: datetime, app_settings: AppSettings) -> bool:
    """Return whether a row has not ended although, by the wall clock, its time limit has passed."""
    policy = find_retry_policy(row.event_type, app_settings)
    is_waiting = row.status in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
    return is_waiting and policy is not None and now - row.created_at >= policy.time_limit


def end_waiting(row: AlertDelivery, now: datetime) -> bool:
    """End a row that has not ended, and commit. Returns whether this call ended it."""
    has_ended = _apply(_end(row), row, now)
    db.session.commit()
    return has_ended


def _plan_transition(
    row: AlertDelivery, now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker
) -> PlannedTransition | None:
    """Return the transition that is due for a row, or None.

    A running attempt is timed by the monotonic clock alone: setting the wall clock must not mark it as lost.
    Rows that only wait are timed by both clocks, and the earlier one counts.
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
    # After an attempt, the row already holds its error, which is the reason.
    return PlannedTransition(EXPIRE, error_columns(Code.NOT_STARTED) if row.attempt_count == 0 else {})


def _apply(planned: PlannedTransition, row: AlertDelivery, now: datetime) -> bool:
    return apply_transition(
        planned.transition, row.id, now, _IS_UNCHANGED, {"last_update": row.updated_at}, **planned.columns
    )


_IS_UNCHANGED = AlertDelivery.updated_at == bindparam("last_update")


def _list_waiting(now: datetime, app_settings: AppSettings) -> Sequence[AlertDelivery]:
    """Fetch all unfinished test sends, and the due real alerts if this installation sends real alerts."""
    waiting = select(AlertDelivery).where(
        IS_WAITING, _is_recoverable(now, find_retry_policy("any alert", app_settings))
    )
    oldest_first = waiting.order_by(AlertDelivery.updated_at).options(_NEEDED_COLUMNS)
    return db.session.scalars(oldest_first.execution_options(populate_existing=True)).all()


def _is_recoverable(now: datetime, real_alerts: RetryPolicy | None) -> ColumnElement[bool]:
    is_test = AlertDelivery.event_type == TEST_EVENT
    if real_alerts is None:
        return is_test
    # Skips alerts deferred for hours: there can be very many.
    is_due = or_(
        AlertDelivery.status == DeliveryStatus.QUEUED,
        AlertDelivery.send_after <= now,
        AlertDelivery.created_at <= now - real_alerts.time_limit,
    )
    return is_test | is_due
