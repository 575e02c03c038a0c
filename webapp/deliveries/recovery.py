"""Move on what waits: try deferred rows again, hand forgotten rows to the queue, end what nobody will end.

Runs every second beside each worker. It trusts the rows alone, so it also mends what a lost or emptied queue forgot.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from webapp.deliveries.life import LOST_AFTER, PATIENCE, change, failed
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=10)
"""A queued row untouched for this long is handed to the queue again; the claim still lets it be sent only once."""

AT_ONCE = 500

_WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
_GIVEN_UP = {"status": DeliveryStatus.FAILED, "send_after": None}  # the last attempt's code and sentence stay


def recover(now: datetime) -> list[int]:
    """Move on every row whose time has come, and return the ids to enqueue. Several workers share the rows."""
    moved = [(row.id, move) for row in _list_waiting(now) if (move := plan_move(row, now)) and _make(row, move, now)]
    db.session.commit()
    for delivery_id, move in moved:
        log.info("recovered: delivery=%s to=%s", delivery_id, move["status"])
    return [delivery_id for delivery_id, move in moved if move["status"] is DeliveryStatus.QUEUED]


def end_overdue(row: AlertDelivery, now: datetime) -> bool:
    """End a waiting row that is past its time, where no worker is there to do it. Returns whether it has ended now."""
    move = plan_move(row, now) if row.event_type == TEST_EVENT and row.status in _WAITING else None
    if move is None or move["status"] is not DeliveryStatus.FAILED:
        return False
    has_ended = _make(row, move, now)
    db.session.commit()
    return has_ended


def plan_move(row: AlertDelivery, now: datetime) -> dict[str, Any] | None:
    """Say what becomes of a waiting row by itself, or None if its time has not come."""
    if row.attempt_started_at is not None:
        is_lost = abs(now - row.attempt_started_at) >= LOST_AFTER  # in the future: the clock was set back
        return failed(Code.WORKER_LOST) if is_lost else None
    if row.created_at <= now - PATIENCE:
        return failed(Code.NOT_STARTED) if row.attempt_count == 0 else _GIVEN_UP
    if row.status is DeliveryStatus.DEFERRED and row.send_after is not None and row.send_after <= now:
        return {"status": DeliveryStatus.QUEUED, "send_after": None}
    if row.status is DeliveryStatus.QUEUED and row.updated_at <= now - FORGOTTEN_AFTER:
        return {"status": DeliveryStatus.QUEUED}
    return None


def _list_waiting(now: datetime) -> Sequence[AlertDelivery]:
    # Test sends only: a real alert is not ours to send late. Rows that are not due must not crowd out those that are.
    is_due = or_(
        AlertDelivery.status == DeliveryStatus.QUEUED,
        AlertDelivery.send_after <= now,
        AlertDelivery.created_at <= now - PATIENCE,
    )
    waiting = select(AlertDelivery).where(IS_WAITING, AlertDelivery.event_type == TEST_EVENT, is_due)
    oldest = waiting.order_by(AlertDelivery.updated_at).limit(AT_ONCE)
    return db.session.scalars(oldest.execution_options(populate_existing=True)).all()


def _make(row: AlertDelivery, move: dict[str, Any], now: datetime) -> bool:
    unchanged = (AlertDelivery.updated_at == row.updated_at) & (AlertDelivery.status == row.status)
    return change(row.id, unchanged, now, **move)
