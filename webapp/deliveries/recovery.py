"""Recovery: once a second, resumes due retries, requeues unclaimed rows, and ends rows that would never end.

Runs in the supervisor of every worker. It reads only the rows, so it also recovers jobs that the queue has lost.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, or_, select, tuple_, update
from sqlalchemy.orm import load_only

from webapp.app_state import Waited
from webapp.deliveries.claim_record import keep_record
from webapp.deliveries.expiry import PlannedTransition, apply_planned, identify, observe, plan_end, settle_expiries
from webapp.deliveries.retry_policy import RetryPolicy, find_retry_policy
from webapp.deliveries.transitions import REQUEUE, RESUME, Transition, apply_to_each
from webapp.deliveries.wait_tracker import WaitTracker
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

# A row that stays unclaimed this long is enqueued again. The claim still ensures that it is sent only once.
REQUEUE_AFTER = timedelta(seconds=10)

# The most rows that one pass updates, longest unchanged first. The next pass, a second later, continues.
MAX_ROWS_PER_PASS = 500

# The transitions after which a row is enqueued. When a worker has fallen behind, most rows of a pass make one of them,
# and they are the rows that are claimed next. So all of them change in one statement, right before the commit.
_TO_QUEUE = (RESUME, REQUEUE)

_IS_UNCHANGED = tuple_(AlertDelivery.id, AlertDelivery.updated_at).in_(bindparam("seen", expanding=True))

_NEEDED_COLUMNS = load_only(
    AlertDelivery.event_type,
    AlertDelivery.status,
    AlertDelivery.created_at,
    AlertDelivery.updated_at,
    AlertDelivery.send_after,
    AlertDelivery.attempt_started_at,
    AlertDelivery.attempt_count,
)


# Fails where an update would: in a read-only or locked database, or without the permission. Changes no row.
_WRITE_NOTHING = (
    update(AlertDelivery)
    .where(AlertDelivery.id == 0)
    .values(attempt_count=AlertDelivery.attempt_count)
    .execution_options(synchronize_session=False)
)


def recover(now: datetime, app_settings: AppSettings, wait_tracker: WaitTracker) -> list[int]:
    """Apply every due transition, commit, and return the ids to enqueue. Several workers may run it at once.

    A pass that returns has shown that the database can be read and written.
    wait_tracker: the same object for every pass of a process.
    """
    keep_record(since=now)
    rows = _list_waiting(now, app_settings)
    wait_tracker.forget_others({identify(row) for row in rows})
    observed = observe(wait_tracker, rows, now)
    due = [(row, planned) for row, waited in observed if (planned := _plan_transition(row, now, app_settings, waited))]
    if not due:
        db.session.execute(_WRITE_NOTHING)
    settled = settle_expiries(due[:MAX_ROWS_PER_PASS])
    ended = [
        (row.id, planned.transition)
        for row, planned in settled
        if planned.transition not in _TO_QUEUE and apply_planned(planned, row, now)
    ]
    queued = [(delivery_id, each) for each in _TO_QUEUE for delivery_id in _apply_together(each, settled, now)]
    db.session.commit()
    for delivery_id, transition in (*ended, *queued):
        log.info("delivery recovered", extra={"delivery": delivery_id, "transition": transition.name})
    return sorted(delivery_id for delivery_id, _ in queued)


def _apply_together(
    transition: Transition, settled: Sequence[tuple[AlertDelivery, PlannedTransition]], now: datetime
) -> list[int]:
    """Apply one transition to all rows that it is planned for, if they are unchanged, and return their ids."""
    seen = [(row.id, row.updated_at) for row, planned in settled if planned.transition is transition]
    if not seen:
        return []
    ids = [delivery_id for delivery_id, _ in seen]
    return apply_to_each(transition, ids, now, _IS_UNCHANGED, {"seen": seen}, skip_locked=True)


def _plan_transition(
    row: AlertDelivery, now: datetime, app_settings: AppSettings, waited: Waited
) -> PlannedTransition | None:
    """Return the transition that is due for a row, or None. Both clocks time it, and the earlier one counts."""
    policy = find_retry_policy(row.event_type, app_settings)
    if policy is None:
        return None
    end = plan_end(row, now, policy, waited)
    if end is not None or row.attempt_started_at is not None:
        return end
    waiting = max(now - row.updated_at, waited.unchanged)
    if row.send_after is not None and row.status is DeliveryStatus.DEFERRED:
        return PlannedTransition(RESUME) if waiting >= row.send_after - row.updated_at else None
    return PlannedTransition(REQUEUE) if waiting >= REQUEUE_AFTER else None


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
