"""The backlog: how many test sends wait, and how old the oldest unclaimed one is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, Select, bindparam, func, select

from webapp.deliveries.queries import IS_TEST_SEND
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.models.delivery import IS_WAITING


@dataclass(frozen=True)
class Backlog:
    """Test sends that have not ended.

    queued: includes those being sent.
    age: seconds since the press of the oldest unclaimed test send; 0 if there is none. An earlier attempt or a requeue
        does not reset it, because the person has waited since the press.
    """

    queued: int
    deferred: int
    age: float


def measure_backlog(now: datetime) -> Backlog:
    """Measure the backlog in one query, which uses the index of waiting rows."""
    queued, deferred, oldest = db.session.execute(_select_backlog()).one()
    return Backlog(queued, deferred, max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)


def count_waiting(workspace_id: int) -> int:
    """Count a workspace's test sends that wait or are being sent."""
    return db.session.scalar(_WAITING_IN_WORKSPACE, {"workspace_id": workspace_id}) or 0


def waiting_subquery() -> ScalarSelect[int]:
    """Return the subquery that counts the same for the workspace of each destination."""
    is_here = AlertDelivery.workspace_id == AlertDestination.workspace_id
    return _WAITING.where(is_here).correlate(AlertDestination).scalar_subquery()


# Built once, because every list executes it.
_WAITING = select(func.count(AlertDelivery.id)).where(IS_WAITING, IS_TEST_SEND)
_WAITING_IN_WORKSPACE = _WAITING.where(AlertDelivery.workspace_id == bindparam("workspace_id"))
_QUEUED = AlertDelivery.status == DeliveryStatus.QUEUED


def _select_backlog() -> Select[int, int, datetime]:
    return select(
        func.count().filter(_QUEUED),
        func.count().filter(AlertDelivery.status == DeliveryStatus.DEFERRED),
        func.min(AlertDelivery.created_at).filter(_QUEUED, AlertDelivery.attempt_started_at.is_(None)),
    ).where(IS_WAITING, IS_TEST_SEND)
