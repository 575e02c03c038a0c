"""Loads the destinations of a workspace with what decides about their drills, for the page of drills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from webapp.deliveries.queries import find_newest_drill, newest_drill_id_subquery
from webapp.drills.due import DrillState, NewestDrill
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination


@dataclass(frozen=True)
class DrilledDestination:
    """A destination. newest: its newest drill, or None.

    accepted_at: when the message was requested that spares it a drill; see `list_accepted_traffic`.
    """

    destination: AlertDestination
    newest: AlertDelivery | None
    accepted_at: datetime | None

    @property
    def state(self) -> DrillState:
        """What decides whether a drill is due."""
        row, drill = self.destination, self.newest
        newest = None
        if drill is not None and drill.drill is not None:
            newest = NewestDrill(drill.id, drill.drill, drill.status, drill.updated_at)
        return DrillState(row.id, row.drill_choice, row.created_at, row.drilled_at, newest)


_DESTINATIONS = (
    select(AlertDestination, AlertDelivery)
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_drill_id_subquery())
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.workspace_id == bindparam("workspace_id"), AlertDestination.deleted_at.is_(None))
    .order_by(func.lower(AlertDestination.name), AlertDestination.id)
)


def list_drilled(workspace_id: int, now: datetime) -> Sequence[DrilledDestination]:
    """Fetch the destinations of a workspace in the order of their names. Executes two queries."""
    rows = db.session.execute(_DESTINATIONS, {"workspace_id": workspace_id}).all()
    accepted = list_accepted_traffic([destination.id for destination, _ in rows], now)
    return [DrilledDestination(row[0], row[1], accepted.get(row[0].id)) for row in rows]


def find_drilled(destination: AlertDestination, now: datetime) -> DrilledDestination:
    """Fetch what decides about the drills of one destination. Executes two queries."""
    newest = find_newest_drill(destination)
    return DrilledDestination(destination, newest, list_accepted_traffic([destination.id], now).get(destination.id))
