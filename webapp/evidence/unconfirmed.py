"""Finds the destinations that were unconfirmed at the end of a period."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import or_, select

from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN, PAST_UNCONFIRMED_DRILL_ID, confirmation_times
from webapp.evidence.destinations_in_period import existed_in
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import AlertDestination

# Before the first week of the calendar has passed, no drill can have waited for as long as it may.
_FIRST_END = datetime.min.replace(tzinfo=UTC) + CONFIRM_WITHIN


def find_unconfirmed(workspace_id: int, period: Period, now: datetime) -> Mapping[int, int]:
    """Return the drill that made each of them unconfirmed, by destination, with one query.

    The drill may be older than the period.
    """
    end = find_end(period, now)
    drill_id = PAST_UNCONFIRMED_DRILL_ID.label("drill_id")
    was_there = or_(AlertDestination.deleted_at.is_(None), AlertDestination.deleted_at >= end)
    query = select(AlertDestination.id, drill_id).where(
        existed_in(workspace_id, period), was_there, AlertDestination.needs_confirmation
    )
    rows = db.session.execute(query, confirmation_times(end))
    return {row.id: row.drill_id for row in rows if row.drill_id is not None}


def find_end(period: Period, now: datetime) -> datetime:
    """Return when a period ends. One that has not ended ends now."""
    return max(min(period.ends_at, now), _FIRST_END)
