"""The test sends that wait: how many, and for how long nobody has taken the oldest."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, func, select

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING


@dataclass(frozen=True)
class Backlog:
    """Test sends that have not ended.

    queued: those being sent are among them.
    age: seconds since the press of the oldest queued one that no worker has taken, 0 if there is none. From the press
        also where it was tried before or handed to the queue again: so long has a person waited.
    """

    queued: int
    deferred: int
    age: float


def measure_backlog(now: datetime) -> Backlog:
    """Count what waits: one query, by the index of waiting rows."""
    queued, deferred, oldest = db.session.execute(_waiting()).one()
    return Backlog(queued, deferred, max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)


def count_waiting(workspace_id: int) -> int:
    """Count the test sends of a workspace that wait or are being sent."""
    return db.session.scalar(WAITING_OF_ONE, {"workspace_id": workspace_id}) or 0


WAITING_OF_ONE = select(func.count(AlertDelivery.id)).where(
    IS_WAITING, AlertDelivery.event_type == TEST_EVENT, AlertDelivery.workspace_id == bindparam("workspace_id")
)
"""The count of what waits in the workspace of that parameter, put together once: every poll asks for it."""
_QUEUED = AlertDelivery.status == DeliveryStatus.QUEUED


def _waiting() -> Select[int, int, datetime]:
    return select(
        func.count().filter(_QUEUED),
        func.count().filter(AlertDelivery.status == DeliveryStatus.DEFERRED),
        func.min(AlertDelivery.created_at).filter(_QUEUED, AlertDelivery.attempt_started_at.is_(None)),
    ).where(IS_WAITING, AlertDelivery.event_type == TEST_EVENT)
