"""Ends overdue deliveries when a page shows them, whoever else is alive to do it.

A worker may live and not reach the database, or die again and again. The update is conditional, so it is safe.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlalchemy.exc import DBAPIError

from webapp import queue
from webapp.app_state import app_state
from webapp.database.outages import Outage, describe_outage, find_outage
from webapp.database.query_plans import PLAN_ONCE
from webapp.database.sessions import discard_transaction
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS, AnyDelivery, DeliveryRow
from webapp.deliveries.queries import IS_TEST_SEND
from webapp.deliveries.recovery.overdue_and_lost import (
    PlannedTransition,
    observe,
    plan_end,
    plan_loss,
    settle_expiries,
)
from webapp.deliveries.retry_policy import TEST_SEND_POLICY
from webapp.deliveries.transitions import LOST_AFTER, apply_if_unchanged
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery
from webapp.models.delivery import IS_WAITING

log = logging.getLogger(__name__)

# A page leaves a row to the workers for this much longer than they do themselves.
MARGIN = timedelta(seconds=1)

# The waiting rows that a web process remembers between looks.
REMEMBERED_ROWS = 10_000

# Built once, because every list executes it.
_OVERDUE = (
    select(*DELIVERY_COLUMNS)
    .where(
        IS_WAITING,
        IS_TEST_SEND,
        AlertDelivery.workspace_id == bindparam("workspace_id"),
        or_(
            AlertDelivery.created_at <= bindparam("pressed_until"),
            AlertDelivery.attempt_started_at <= bindparam("claimed_until"),
        ),
    )
    .execution_options(**{PLAN_ONCE: True})
)


def end_overdue_tests(workspace_id: int, now: datetime) -> bool:
    """End a workspace's overdue test sends. Returns whether this call ended any."""
    return _end_overdue(_list_candidates(workspace_id, now), now) > 0


def end_if_overdue(row: AnyDelivery, now: datetime) -> bool:
    """End a test send if it is overdue, and commit. Returns whether this call ended it."""
    if not row.status.is_waiting or row.event_type != TEST_EVENT:
        return False
    return _end_overdue([row], now) > 0


def _end_overdue(rows: Sequence[AnyDelivery], now: datetime) -> int:
    """End those of these rows that are overdue, in one transaction, and return how many this call ended.

    A database that accepts no changes leaves the rows as they are: the page can still be read.
    """
    due = settle_expiries(_list_due(rows, now)) if rows else []
    if not due:
        return 0
    try:
        ended = sum(_apply(planned, row, now) for row, planned in due)
        db.session.commit()
        return ended
    except DBAPIError as error:
        if find_outage(error) not in (Outage.READ_ONLY, Outage.FULL):
            raise
        discard_transaction()
        log.warning("overdue tests cannot be ended", extra={"outage": describe_outage(error)})
        return 0


def _apply(planned: PlannedTransition, row: AnyDelivery, now: datetime) -> bool:
    return apply_if_unchanged(planned.transition, row.id, row.updated_at, now, planned.columns)


def _list_due(rows: Sequence[AnyDelivery], now: datetime) -> list[tuple[AnyDelivery, PlannedTransition]]:
    seen = observe(app_state().looks, rows, now)
    planned = [(row, plan_end(row, now - MARGIN, TEST_SEND_POLICY, waited)) for row, waited in seen]
    late = {row.id for row, end in planned if end is None and _is_late_attempt(row, now - MARGIN)}
    if late and _is_worker_gone():
        planned = [(row, plan_loss(row) if row.id in late else end) for row, end in planned]
    return [(row, end) for row, end in planned if end is not None]


def is_worker_seen() -> bool:
    """Return whether the queue server knows a live worker; False if the queue server is unavailable."""
    try:
        return queue.is_worker_alive()
    except queue.QueueUnavailable:
        return False


def _list_candidates(workspace_id: int, now: datetime) -> Sequence[DeliveryRow]:
    """Fetch a workspace's test sends that may be overdue: past their time limit, or in an attempt that takes long."""
    key = {
        "workspace_id": workspace_id,
        "pressed_until": now - TEST_SEND_POLICY.time_limit,
        "claimed_until": now - LOST_AFTER / 2,
    }
    return [DeliveryRow._make(row) for row in db.session.connection().execute(_OVERDUE, key)]


def _is_late_attempt(row: AnyDelivery, now: datetime) -> bool:
    """Return whether an attempt is older than any attempt may be, and past the time limit of its test send."""
    if row.attempt_started_at is None or now - row.attempt_started_at < LOST_AFTER:
        return False
    return now - row.created_at >= TEST_SEND_POLICY.time_limit


def _is_worker_gone() -> bool:
    try:
        return not queue.is_worker_alive()
    except queue.QueueUnavailable:
        return False
