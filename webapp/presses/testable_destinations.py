"""Lists the destinations that Test all may test, in the order in which it tests them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select

from webapp.deliveries.newest_deliveries import newest_test_id_subquery
from webapp.deliveries.requesting.cooldown import find_requested_at
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """A destination. requested_at: when its newest test send was requested, or None."""

    destination_id: int
    channel: str
    is_enabled: bool
    requested_at: datetime | None


_CANDIDATES = (
    select(
        *(AlertDestination.id, AlertDestination.type, AlertDestination.is_enabled),
        *(AlertDelivery.created_at, AlertDelivery.updated_at),
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .where(AlertDestination.workspace_id == bindparam("workspace_id"), AlertDestination.deleted_at.is_(None))
)


def list_candidates(workspace_id: int) -> list[Candidate]:
    """Return a workspace's destinations, never tested ones first, then the least recently tested. One query."""
    rows = db.session.execute(_CANDIDATES, {"workspace_id": workspace_id})
    # Sorted here, because the databases place nulls differently.
    return sorted((_read(row) for row in rows), key=_order)


def _read(row: Any) -> Candidate:
    newest = row if row.created_at else None
    return Candidate(row.id, row.type, row.is_enabled, find_requested_at(newest))


def _order(candidate: Candidate) -> tuple[datetime, int]:
    return candidate.requested_at or _NEVER, candidate.destination_id
