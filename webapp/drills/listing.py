"""Loads the destinations of a workspace with what decides about their drills, for the page of drills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import joinedload

from webapp.channels import PAGING_CHANNELS
from webapp.database.numbered_pages import PAGE_SIZE
from webapp.deliveries.newest_deliveries import find_newest_drill, newest_drill_id_subquery
from webapp.drills.due import DrillState, NewestDrill
from webapp.drills.traffic import list_accepted_traffic
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DrillChoice
from webapp.models.id_list import IsOneOf


class DestinationRow(NamedTuple):
    """What decides about the drills of a destination, under the names of `AlertDestination`."""

    id: int
    name: str
    type: str
    is_enabled: bool
    drill_choice: DrillChoice
    drills_may_page: bool
    needs_confirmation: bool
    created_at: datetime
    drilled_at: datetime | None


@dataclass(frozen=True)
class DrilledDestination:
    """A destination. newest: its newest drill, or None.

    accepted_at: when the message that spares it a drill was requested; see `list_accepted_traffic`.
    """

    destination: AlertDestination | DestinationRow
    newest: AlertDelivery | NewestDrill | None
    accepted_at: datetime | None

    @property
    def state(self) -> DrillState:
        """What decides whether a drill is due."""
        row = self.destination
        return DrillState(row.id, row.drill_choice, row.created_at, row.drilled_at, self.newest)


_OF_WORKSPACE = (AlertDestination.workspace_id == bindparam("workspace_id"), AlertDestination.deleted_at.is_(None))
_BY_NAME = (func.lower(AlertDestination.name), AlertDestination.id)

# Plain columns: loading thousands of objects takes ten times as long.
_DESTINATIONS = (
    select(
        *(getattr(AlertDestination, name) for name in DestinationRow._fields),
        *(getattr(AlertDelivery, name) for name in NewestDrill._fields),
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_drill_id_subquery())
    .order_by(*_BY_NAME)
)
_ALL = _DESTINATIONS.where(*_OF_WORKSPACE)

# The page is cut before the newest drills are looked up.
_IDS = select(AlertDestination.id).where(*_OF_WORKSPACE).order_by(*_BY_NAME).limit(PAGE_SIZE).offset(bindparam("start"))
_OF_PAGE = _DESTINATIONS.where(AlertDestination.id.in_(_IDS.correlate(None)))

_MAY_PAGE = and_(
    AlertDestination.is_enabled, AlertDestination.drills_may_page, AlertDestination.type.in_(PAGING_CHANNELS)
)
_COUNTS = select(func.count(), func.count().filter(_MAY_PAGE)).where(*_OF_WORKSPACE)

_DRILLS = (
    select(AlertDelivery)
    .where(IsOneOf(AlertDelivery.id, "delivery_ids"))
    .options(joinedload(AlertDelivery.requested_by))
)


def count_destinations(workspace_id: int) -> tuple[int, int]:
    """Count the destinations of a workspace, and the enabled ones whose drills may page people."""
    total, paging = db.session.connection().execute(_COUNTS, {"workspace_id": workspace_id}).one()
    return total, paging


def list_drilled(workspace_id: int, now: datetime) -> Sequence[DrilledDestination]:
    """Fetch the destinations of a workspace in the order of their names. Executes two queries."""
    return _list(_ALL, {"workspace_id": workspace_id}, now)


def list_drilled_page(workspace_id: int, number: int, now: datetime) -> Sequence[DrilledDestination]:
    """Fetch those on the page with this number. Executes two queries."""
    return _list(_OF_PAGE, {"workspace_id": workspace_id, "start": (number - 1) * PAGE_SIZE}, now)


def load_drills(delivery_ids: Sequence[int]) -> Sequence[AlertDelivery]:
    """Fetch these deliveries, with who requested them."""
    return db.session.scalars(_DRILLS, {"delivery_ids": delivery_ids}).all()


def find_drilled(destination: AlertDestination, now: datetime) -> DrilledDestination:
    """Fetch what decides about the drills of one destination. Executes two queries."""
    newest = find_newest_drill(destination)
    return DrilledDestination(destination, newest, list_accepted_traffic([destination.id], now).get(destination.id))


def _list(statement: Select[Any], parameters: dict[str, int], now: datetime) -> list[DrilledDestination]:
    rows = db.session.connection().execute(statement, parameters).all()
    accepted = list_accepted_traffic([row[0] for row in rows], now)
    return [_read(row, accepted.get(row[0])) for row in rows]


def _read(row: Row[*tuple[Any, ...]], accepted_at: datetime | None) -> DrilledDestination:
    destination, drill = DestinationRow._make(row[: len(DestinationRow._fields)]), row[len(DestinationRow._fields) :]
    return DrilledDestination(destination, None if drill[0] is None else NewestDrill._make(drill), accepted_at)
