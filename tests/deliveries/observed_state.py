"""Reads rows and badges in the form in which the reference model expects them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from webapp.deliveries import list_attempts
from webapp.deliveries.badge import describe_outcome
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.extensions import db
from webapp.models import AlertDelivery


def read_rows() -> dict[int, dict[str, Any]]:
    """Read every delivery, by id."""
    return {row.id: _read(row) for row in db.session.scalars(select(AlertDelivery))}


def read_badges(destination_ids: Sequence[int]) -> dict[int, tuple[str, datetime | None]]:
    """Read the badge of each destination and the time beside it."""
    rows = list_with_newest_test(destination_ids)
    outcomes = {destination.id: describe_outcome(newest, destination.type) for destination, newest in rows}
    return {destination_id: (outcome.badge, outcome.at) for destination_id, outcome in outcomes.items()}


def _read(row: AlertDelivery) -> dict[str, Any]:
    return {
        "status": row.status,
        "attempts": row.attempt_count,
        "past_codes": tuple(attempt.code for attempt in list_attempts(row)),
        "code": row.last_error_code,
        "started_at": row.attempt_started_at,
        "send_after": row.send_after,
        "sent_at": row.sent_at,
        "updated_at": row.updated_at,
    }
