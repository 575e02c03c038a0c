"""Reads the state of each destination of a workspace that has drills."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from webapp.channels import CHANNELS
from webapp.deliveries.queries import newest_drill_id_subquery
from webapp.drills.due import DrillState, NewestDrill
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillChoice, DrillNumber

_PAGING = [name for name, channel in CHANNELS.items() if channel.pages_people]

# Built once, because workers execute it every few seconds.
_STATES = (
    select(
        AlertDestination.id,
        AlertDestination.drill_choice,
        AlertDestination.created_at,
        AlertDestination.drilled_at,
        AlertDelivery.id,
        AlertDelivery.drill,
        AlertDelivery.status,
        AlertDelivery.updated_at,
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_drill_id_subquery())
    .where(
        AlertDestination.workspace_id == bindparam("workspace_id"),
        AlertDestination.deleted_at.is_(None),
        AlertDestination.is_enabled,
        AlertDestination.drill_choice != DrillChoice.SKIP,
        or_(AlertDestination.type.not_in(_PAGING), AlertDestination.drills_may_page),
    )
    .order_by(AlertDestination.id)
)


def list_drill_states(workspace_id: int) -> Sequence[DrillState]:
    """Return the destinations of a workspace that have drills. Those that page people have them only if allowed."""
    rows = db.session.execute(_STATES, {"workspace_id": workspace_id})
    return [
        DrillState(destination_id, choice, created_at, drilled_at, _read_newest(newest_id, number, status, updated_at))
        for destination_id, choice, created_at, drilled_at, newest_id, number, status, updated_at in rows
    ]


def _read_newest(
    delivery_id: int | None, number: DrillNumber | None, status: DeliveryStatus, updated_at: datetime
) -> NewestDrill | None:
    """Return the newest drill; None if there is none, where an outer join has nulls in each of its columns."""
    return None if delivery_id is None or number is None else NewestDrill(delivery_id, number, status, updated_at)
