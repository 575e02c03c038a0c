"""Ends overdue deliveries when somebody looks at them and no worker is alive to do it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from webapp import queue
from webapp.deliveries.recovery import end_waiting, is_overdue
from webapp.deliveries.retry_policy import TEST_SEND_POLICY
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery
from webapp.models.delivery import IS_WAITING
from webapp.settings import current_settings

# Built once, because every list executes it.
_OVERDUE = select(AlertDelivery).where(
    IS_WAITING,
    AlertDelivery.event_type == TEST_EVENT,
    AlertDelivery.workspace_id == bindparam("workspace_id"),
    AlertDelivery.created_at <= bindparam("until"),
)


def end_overdue_tests(workspace_id: int, now: datetime) -> None:
    """End the overdue test sends of a workspace, unless a worker is alive."""
    for overdue in list_overdue(workspace_id, now):
        end_if_abandoned(overdue, now)


def end_if_abandoned(delivery: AlertDelivery, now: datetime) -> bool:
    """End a delivery that is overdue, unless a worker is alive. Returns whether it has ended now."""
    # A live worker ends it by a clock that cannot be set, and may be sending it: then it is not ours to end.
    if not is_overdue(delivery, now, current_settings()) or is_worker_seen():
        return False
    return end_waiting(delivery, now)


def list_overdue(workspace_id: int, now: datetime) -> Sequence[AlertDelivery]:
    """Fetch the test sends of a workspace that are past their time limit and have not ended."""
    key = {"workspace_id": workspace_id, "until": now - TEST_SEND_POLICY.time_limit}
    return db.session.scalars(_OVERDUE, key).all()


def is_worker_seen() -> bool:
    """Return whether a worker is alive as far as the queue server knows; without one, none is seen."""
    try:
        return queue.is_worker_alive()
    except queue.QueueUnavailable:
        return False
