"""Summarizes the destinations of workspaces: the state of each, and what its row on a page depends on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, or_, select

from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.arrival import is_missing
from webapp.deliveries.badge import badge_for
from webapp.deliveries.drill_confirmation import confirmation_times
from webapp.deliveries.newest_deliveries import newest_test_subquery
from webapp.deliveries.proof import NO_PROOF, PROOF_COLUMNS, Proof, read_proofs
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, Receipt
from webapp.models.id_list import IsOneOf
from webapp.models.json_array import JsonArray, read_arrays
from webapp.models.types import read_stored_name, read_stored_time
from webapp.text.tags import split_tags

# A destination as the database has it. Equal rows mean equal summaries.
SummaryRow = tuple[Any, ...]


class Tab(StrEnum):
    """Tabs of the list, most urgent first: one per badge, one for missing messages, and one for disabled destinations.

    MISSING: the last test was accepted, but somebody reported that its message did not arrive.
    """

    FAILED = "failed"
    MISSING = "missing"
    PENDING = "pending"
    NEVER = "never"
    SENT = "sent"
    DISABLED = "disabled"

    @property
    def is_broken(self) -> bool:
        """Whether a destination in this tab does not work, as far as its last test shows."""
        return self in (Tab.FAILED, Tab.MISSING)


class RowChanges(NamedTuple):
    """What else a row of the list depends on.

    newest_id, newest_status, changed_at: of the newest test send. planned_id: of the planned test, ended or not.
    is_recent: whether the newest test send changed, or the planned test ended, after `recent_since`; or it still waits.
    receipt_at: when its receipt was given; None without one. Times are as the database writes them.
    needs_confirmation: whether somebody has to confirm its drills.
    """

    settings_version: int
    newest_id: int | None
    newest_status: DeliveryStatus | None
    changed_at: str | None
    is_recent: bool
    planned_id: int | None
    receipt_at: str | None
    needs_confirmation: bool


class DestinationSummary(NamedTuple):
    """The columns of a destination that filtering and sorting need.

    changed: what differs whenever a row shows something else; see `webapp.dashboard.list_version`.
    tested_at: when its newest test send was accepted, or None.
    """

    destination_id: int
    workspace_id: int
    name: str
    channel: str
    state: Tab
    tags: tuple[str, ...] = ()
    changed: RowChanges | None = None
    tested_at: datetime | None = None
    proof: Proof = NO_PROOF


def list_summaries(
    workspace_ids: Sequence[int], now: datetime, recent_since: datetime | None = None
) -> list[DestinationSummary]:
    """Return all destinations of these workspaces. Executes one query; its cost is independent of past deliveries."""
    return read_summaries(fetch_summary_rows(workspace_ids, now, recent_since))


def fetch_summary_rows(
    workspace_ids: Sequence[int], now: datetime, recent_since: datetime | None = None
) -> list[SummaryRow]:
    """Return what `read_summaries` reads. Executes one query."""
    limits = {"workspace_ids": workspace_ids, "recent_since": recent_since}
    with db.session.connection().execute(_SUMMARIES, limits | confirmation_times(now)) as result:
        # The driver's own rows. SQLAlchemy's take twice as long to fetch, and six times as long to compare.
        return list(result.cursor.fetchall())


def read_summaries(rows: Sequence[SummaryRow]) -> list[DestinationSummary]:
    """Return the summaries in rows of the database."""
    if not rows:
        return []
    *_, tests, acceptances, confirmations = zip(*rows, strict=True)
    read = zip(rows, read_arrays(tests), read_proofs(acceptances, confirmations), strict=True)
    return [_read(row, test or _NO_TEST, proof) for row, test, proof in read]


def is_waiting(summary: DestinationSummary) -> bool:
    """Return whether the destination's newest test send has not ended."""
    status = summary.changed.newest_status if summary.changed else None
    return status is not None and status.is_waiting


def list_planned_ids(summaries: Sequence[DestinationSummary], ids: Collection[int]) -> list[int]:
    """Return those of these destinations that have a planned test, ended or not."""
    planned = [row.destination_id for row in summaries if row.changed and row.changed.planned_id]
    return [destination_id for destination_id in planned if destination_id in ids]


# Has the parameter `workspace_ids`. A deleted destination is in none.
ARE_IN_WORKSPACES = and_(IsOneOf(AlertDestination.workspace_id, "workspace_ids"), AlertDestination.deleted_at.is_(None))

# Whether the planned test waits, or ended after `recent_since`.
IS_PLAN_RECENT = or_(
    PlannedTest.ended_at > bindparam("recent_since"), PlannedTest.id.is_not(None) & PlannedTest.ended_at.is_(None)
)

# In the order in which `_read` reads it.
_NEWEST_TEST = JsonArray(
    AlertDelivery.id,
    AlertDelivery.status,
    AlertDelivery.receipt,
    AlertDelivery.receipt_at,
    AlertDelivery.updated_at,
    AlertDelivery.sent_at,
    AlertDelivery.updated_at > bindparam("recent_since"),
)
_NO_TEST = (None,) * len(_NEWEST_TEST.clauses)

# Built once, because every list page executes it. A subquery that finds all columns of a message at once takes fewer
# steps than one that finds its id and a join, and PostgreSQL cannot read the whole table of deliveries instead.
_SUMMARIES = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.tags,
        AlertDestination.is_enabled,
        AlertDestination.settings_version,
        AlertDestination.needs_confirmation,
        PlannedTest.id,
        IS_PLAN_RECENT,
        newest_test_subquery(_NEWEST_TEST),
        *PROOF_COLUMNS,
    )
    .outerjoin(PlannedTest, PlannedTest.alert_destination_id == AlertDestination.id)
    .where(ARE_IN_WORKSPACES)
    .execution_options(**{PLAN_ONCE: True})
)


def _read(row: SummaryRow, test: Sequence[Any], proof: Proof) -> DestinationSummary:
    (
        row_id,
        workspace_id,
        name,
        channel,
        tags,
        is_enabled,
        version,
        needs_confirmation,
        planned_id,
        is_plan_recent,
        *_,
    ) = row
    newest_id, status, receipt, receipt_at, changed_at, sent_at, is_test_recent = test
    return DestinationSummary(
        row_id,
        workspace_id,
        read_stored_name(name) or "",
        channel,
        TABS[is_enabled, status, receipt],
        split_tags(tags),
        RowChanges(
            version,
            newest_id,
            _STATUSES[status],
            changed_at,
            bool(is_test_recent or is_plan_recent),
            planned_id,
            receipt_at,
            bool(needs_confirmation),
        ),
        read_stored_time(sent_at),
        proof,
    )


def _find_tab(is_enabled: bool, newest: DeliveryStatus | None, receipt: Receipt | None) -> Tab:
    if not is_enabled:
        return Tab.DISABLED
    return Tab.MISSING if is_missing(newest, receipt) else Tab(badge_for(newest))


# By what the database has: its texts equal the members of the closed sets.
_STATUSES: dict[str | None, DeliveryStatus | None] = {None: None, **{status: status for status in DeliveryStatus}}
TABS = {
    (is_enabled, newest, receipt): _find_tab(is_enabled, newest, receipt)
    for is_enabled in (True, False)
    for newest in (None, *DeliveryStatus)
    for receipt in (None, *Receipt)
}
