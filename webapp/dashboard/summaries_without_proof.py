"""Summarizes the destinations of workspaces for pages that show their states and tags only, which takes a third."""

from collections.abc import Sequence

from sqlalchemy import select

from webapp.dashboard.summaries import ARE_IN_WORKSPACES, TABS, DestinationSummary
from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.newest_deliveries import newest_test_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.models.json_array import JsonArray, read_arrays
from webapp.models.types import read_stored_name
from webapp.text.tags import split_tags

_NO_TEST = (None, None)


def list_without_proof(workspace_ids: Sequence[int]) -> list[DestinationSummary]:
    """Return all destinations of these workspaces, without `changed`, `tested_at` and `proof`. Executes one query.

    So they do not show which gaps a destination has.
    """
    with db.session.connection().execute(_STATES, {"workspace_ids": workspace_ids}) as result:
        # The driver's own rows, as in `webapp.dashboard.summaries`.
        rows = result.cursor.fetchall()
    tests = read_arrays(row[-1] for row in rows)
    return [
        DestinationSummary(
            row_id,
            workspace_id,
            read_stored_name(name) or "",
            channel,
            TABS[is_enabled, *(test or _NO_TEST)],
            split_tags(tags),
        )
        for (row_id, workspace_id, name, channel, tags, is_enabled, _), test in zip(rows, tests, strict=True)
    ]


_STATES = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.tags,
        AlertDestination.is_enabled,
        newest_test_subquery(JsonArray(AlertDelivery.status, AlertDelivery.receipt)),
    )
    .where(ARE_IN_WORKSPACES)
    .execution_options(**{PLAN_ONCE: True})
)
