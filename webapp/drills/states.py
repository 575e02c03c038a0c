"""Reads the state of each destination of a workspace that has drills."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select

from webapp.channels import PAGING_CHANNELS
from webapp.deliveries.newest_deliveries import newest_drill_id_subquery
from webapp.drills.due import DrillState, NewestDrill
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DrillChoice
from webapp.text.ids import LARGEST_ID

# Destinations of a workspace that are read at once.
PAGE_SIZE = 200

# Built once, because workers execute it every few seconds.
_STATES = (
    select(
        AlertDestination.id,
        AlertDestination.drill_choice,
        AlertDestination.created_at,
        AlertDestination.drilled_at,
        *(getattr(AlertDelivery, name) for name in NewestDrill._fields),
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_drill_id_subquery())
    .where(
        AlertDestination.workspace_id == bindparam("workspace_id"),
        AlertDestination.id.between(bindparam("first_id"), bindparam("last_id")),
        AlertDestination.deleted_at.is_(None),
        AlertDestination.is_enabled,
        AlertDestination.drill_choice != DrillChoice.SKIP,
        or_(AlertDestination.type.not_in(PAGING_CHANNELS), AlertDestination.drills_may_page),
    )
    .order_by(AlertDestination.id)
    .limit(PAGE_SIZE)
)
_RECENT = select(func.count()).where(
    AlertDestination.workspace_id == bindparam("workspace_id"),
    AlertDestination.drilled_at > bindparam("since"),
    AlertDestination.drilled_at <= bindparam("until"),
)


def list_drill_states(workspace_id: int, first_id: int = 0, last_id: int = LARGEST_ID) -> Sequence[DrillState]:
    """Return the destinations of a workspace that have drills: the first `PAGE_SIZE` between two ids, inclusive.

    Those that page people have drills only if allowed.
    """
    ids = {"first_id": first_id, "last_id": last_id}
    rows = db.session.execute(_STATES, {"workspace_id": workspace_id} | ids)
    return [
        DrillState(row[0], row[1], row[2], row[3], None if row[4] is None else NewestDrill._make(row[4:]))
        for row in rows
    ]


def count_drilled(workspace_id: int, since: datetime, until: datetime) -> int:
    """Count the destinations of a workspace whose newest drill was requested after `since`, until `until`."""
    times = {"since": since, "until": until}
    return db.session.scalar(_RECENT, {"workspace_id": workspace_id} | times) or 0
