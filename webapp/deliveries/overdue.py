"""Ends overdue deliveries when a page shows them and no worker is alive to do it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from webapp import queue
from webapp.app_state import current_settings
from webapp.deliveries.recovery import end_waiting, is_overdue
from webapp.deliveries.retry_policy import TEST_SEND_POLICY
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery
from webapp.models.delivery import IS_WAITING

# Built once, because every list executes it.
_OVERDUE = select(AlertDelivery).where(
    IS_WAITING,
    AlertDelivery.event_type == TEST_EVENT,
    AlertDelivery.workspace_id == bindparam("workspace_id"),
    AlertDelivery.created_at <= bindparam("until"),
)


def end_overdue_tests(workspace_id: int, now: datetime) -> None:
    """End a workspace's overdue test sends, unless a worker is alive."""
    for overdue in list_overdue(workspace_id, now):
        end_if_abandoned(overdue, now)


def end_if_abandoned(delivery: AlertDelivery, now: datetime) -> bool:
    """End an overdue delivery, unless a worker is alive. Returns whether this call ended it."""
    # A live worker may be sending it, and ends it by a monotonic clock. Leave it to that worker.
    if not is_overdue(delivery, now, current_settings()) or is_worker_seen():
        return False
    return end_waiting(delivery, now)


def list_overdue(workspace_id: int, now: datetime) -> Sequence[AlertDelivery]:
    """Fetch a workspace's test sends that are past their time limit and have not ended."""
    key = {"workspace_id": workspace_id, "until": now - TEST_SEND_POLICY.time_limit}
    return db.session.scalars(_OVERDUE, key).all()


def is_worker_seen() -> bool:
    """Return whether the queue server knows a live worker; False if the queue server is unavailable."""
    try:
        return queue.is_worker_alive()
    except queue.QueueUnavailable:
        return False
