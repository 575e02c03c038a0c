"""Destinations that have accepted no message for long: what sorting needs of all, and what a page shows of a few."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from webapp.dashboard.summaries import ARE_IN_WORKSPACES
from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.last_acceptance import ACCEPTANCE, Acceptance, read_acceptance
from webapp.deliveries.staleness import IS_STALE, stale_limit
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.models.id_list import IsOneOf
from webapp.models.json_array import read_arrays


class StaleDestination(NamedTuple):
    """The columns that sorting needs. name: as stored, and clean unless another program wrote it."""

    destination_id: int
    workspace_id: int
    name: str


def list_stale(
    workspace_ids: Sequence[int], now: datetime, except_ids: Collection[int] = frozenset()
) -> list[StaleDestination]:
    """Return the enabled destinations of these workspaces for which `is_stale` holds. Executes one query."""
    with db.session.connection().execute(_STALE, {"workspace_ids": workspace_ids} | stale_limit(now)) as result:
        # The driver's own rows, as in `webapp.dashboard.summaries`.
        rows = result.cursor.fetchall()
    return [StaleDestination._make(row) for row in rows if row[0] not in except_ids]


def list_with_acceptance(destination_ids: Sequence[int]) -> list[tuple[AlertDestination, Acceptance | None]]:
    """Fetch these destinations, in this order, each with the newest message it accepted. Executes one query."""
    rows = db.session.execute(_WITH_ACCEPTANCE, {"destination_ids": destination_ids}).all()
    found = {
        destination.id: (destination, read_acceptance(facts))
        for (destination, _), facts in zip(rows, read_arrays(row[1] for row in rows), strict=True)
    }
    return [found[destination_id] for destination_id in destination_ids if destination_id in found]


# Built once, because every load of a page executes them.
_STALE = (
    select(AlertDestination.id, AlertDestination.workspace_id, AlertDestination.name)
    .where(ARE_IN_WORKSPACES, AlertDestination.is_enabled, IS_STALE)
    .execution_options(**{PLAN_ONCE: True})
)
_WITH_ACCEPTANCE = select(AlertDestination, ACCEPTANCE).where(
    IsOneOf(AlertDestination.id, "destination_ids"), AlertDestination.deleted_at.is_(None)
)
