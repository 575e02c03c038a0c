"""What the database and the badges say, in the ledger's words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from webapp.deliveries import list_attempts
from webapp.deliveries.outcome import describe_outcome
from webapp.deliveries.queries import list_with_newest_test
from webapp.extensions import db
from webapp.models import AlertDelivery


def read_rows() -> dict[int, dict[str, Any]]:
    """Read every delivery, by id."""
    return {row.id: _read(row) for row in db.session.scalars(select(AlertDelivery))}


def read_badges(destination_ids: Sequence[int]) -> dict[int, tuple[str, datetime | None]]:
    """Read the badge of each destination and the time beside it."""
    shown = list_with_newest_test(destination_ids)
    told = {destination.id: describe_outcome(newest, destination.type) for destination, newest in shown}
    return {destination_id: (last_test.badge, last_test.at) for destination_id, last_test in told.items()}


def _read(row: AlertDelivery) -> dict[str, Any]:
    return {
        "status": row.status,
        "attempts": row.attempt_count,
        "past": tuple(attempt.code for attempt in list_attempts(row)),
        "code": row.last_error_code,
        "started_at": row.attempt_started_at,
        "send_after": row.send_after,
        "sent_at": row.sent_at,
        "touched_at": row.updated_at,
    }
