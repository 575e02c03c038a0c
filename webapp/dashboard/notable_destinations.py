"""The destinations that What is broken looks at: the broken, the tested just now, and those with a planned test."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import String, bindparam, case, cast, func, literal, null, or_, select

from webapp.dashboard.summaries import ARE_IN_WORKSPACES, IS_PLAN_RECENT, TABS, Tab
from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.newest_deliveries import newest_test_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, Receipt

# What follows the status in the text that the query returns of a newest test: its receipt, and whether it is recent.
_RECEIPTS: dict[Receipt | None, str] = {None: "", **{receipt: f" {receipt}" for receipt in Receipt}}
_RECENT = "+"

_READ: dict[str | None, tuple[Tab, bool]] = {
    f"{status}{_RECEIPTS[receipt]}{mark}": (TABS[True, status, receipt], mark == _RECENT)
    for status in DeliveryStatus
    for receipt in _RECEIPTS
    for mark in ("", _RECENT)
}
_READ[None] = (Tab.NEVER, False)


class NotableDestination(NamedTuple):
    """What counting and sorting need. name: as stored, and clean unless another program wrote it.

    is_recent: as in `webapp.dashboard.summaries.RowChanges`. has_plan: whether it has a planned test, ended or not.
    """

    destination_id: int
    workspace_id: int
    name: str
    channel: str
    state: Tab
    is_recent: bool
    has_plan: bool


def list_notable(workspace_ids: Sequence[int], recent_since: datetime) -> list[NotableDestination]:
    """Return the enabled destinations of these workspaces except the quiet ones, which the database leaves out.

    Quiet ones have no planned test, and either never had a test, or one that was accepted and not reported missing, and
    has not changed since `recent_since`. Executes one query.
    """
    limits = {"workspace_ids": workspace_ids, "recent_since": recent_since}
    with db.session.connection().execute(_NOTABLE, limits) as result:
        # The driver's own rows, as in `webapp.dashboard.summaries`.
        rows = result.cursor.fetchall()
    return [
        NotableDestination(
            row_id, workspace_id, name, channel, state, bool(is_recent or is_plan_recent), bool(has_plan)
        )
        for row_id, workspace_id, name, channel, has_plan, is_plan_recent, test in rows
        for state, is_recent in [_READ[test]]
    ]


_IS_RECENT = AlertDelivery.updated_at > bindparam("recent_since")
_IS_QUIET = (
    PlannedTest.id.is_(None)
    & (AlertDelivery.status == DeliveryStatus.SENT)
    & AlertDelivery.receipt.is_distinct_from(Receipt.MISSING)
    & ~_IS_RECENT
)

_TEST = (
    cast(AlertDelivery.status, String)
    + func.coalesce(literal(" ") + cast(AlertDelivery.receipt, String), "")
    + case((_IS_RECENT, _RECENT), else_="")
)

# Materialized: otherwise, both databases look the newest test up once for the condition and once for the result.
_ENABLED = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        PlannedTest.id.is_not(None).label("has_plan"),
        IS_PLAN_RECENT.label("is_plan_recent"),
        newest_test_subquery(case((_IS_QUIET, null()), else_=_TEST)).correlate(PlannedTest).label("test"),
    )
    .outerjoin(PlannedTest, PlannedTest.alert_destination_id == AlertDestination.id)
    .where(ARE_IN_WORKSPACES, AlertDestination.is_enabled)
    .cte("enabled")
    .prefix_with("MATERIALIZED")
)
_NOTABLE = (
    select(_ENABLED)
    .where(or_(_ENABLED.c.has_plan, _ENABLED.c.test.is_not(None)))
    .execution_options(**{PLAN_ONCE: True})
)
