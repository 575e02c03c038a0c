"""Summarizes the destinations of workspaces: the state of each, and what its row on a page depends on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, or_, select, text, type_coerce
from sqlalchemy.types import NullType

from webapp.deliveries.arrival import is_missing
from webapp.deliveries.badge import badge_for
from webapp.deliveries.confirmation import confirmation_times
from webapp.deliveries.proof import NO_PROOF, PROOF_COLUMNS, Proof, join_proof, read_proof
from webapp.deliveries.queries import newest_test_id_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, Receipt
from webapp.text.tags import split_tags


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
    receipt_at: when its receipt was given, as a Unix time; None without one.
    needs_confirmation: whether somebody has to confirm its drills.
    """

    settings_version: int
    newest_id: int | None
    newest_status: DeliveryStatus | None
    changed_at: datetime | None
    is_recent: bool | None
    planned_id: int | None
    receipt_at: float | None
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
    """Return all destinations of these workspaces. Executes one query; its cost is independent of past deliveries.

    On PostgreSQL, it forbids hash and merge joins to the rest of the transaction.
    """
    _prefer_nested_loops()
    limits = {"workspace_ids": workspace_ids, "recent_since": recent_since}
    rows = db.session.execute(_SUMMARIES, limits | confirmation_times(now))
    return [
        DestinationSummary(
            row_id,
            workspace,
            name,
            channel,
            _tab_of(is_enabled, newest, receipt),
            split_tags(tags),
            RowChanges(
                version,
                newest_id,
                newest,
                changed_at,
                is_recent,
                planned_id,
                told.timestamp() if told else None,
                needs_confirmation,
            ),
            tested_at,
            read_proof(proof),
        )
        for (
            row_id,
            workspace,
            name,
            channel,
            tags,
            is_enabled,
            newest,
            receipt,
            told,
            version,
            newest_id,
            changed_at,
            is_recent,
            planned_id,
            needs_confirmation,
            tested_at,
            *proof,
        ) in rows
    ]


def fetch_summary_rows(workspace_id: int, now: datetime, recent_since: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what `list_summaries` reads as the database has it: equal rows mean equal summaries. Executes one query.

    Comparing them costs a third of reading them. As to PostgreSQL, see `list_summaries`.
    """
    _prefer_nested_loops()
    limits = {"workspace_ids": [workspace_id], "recent_since": recent_since}
    # The connection's own rows: the session would copy each of them, for entities that are not among the columns.
    return db.session.connection().execute(_ROWS, limits | confirmation_times(now)).all()


def list_planned_ids(summaries: Sequence[DestinationSummary], ids: Collection[int]) -> list[int]:
    """Return those of these destinations that have a planned test, ended or not."""
    planned = [row.destination_id for row in summaries if row.changed and row.changed.planned_id]
    return [destination_id for destination_id in planned if destination_id in ids]


def _prefer_nested_loops() -> None:
    """Let PostgreSQL look up one row by key for each destination.

    With thousands of destinations, it would rather read the whole table of deliveries, three times.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(_NESTED_LOOPS)


_NESTED_LOOPS = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")

# Built once, because every list page executes it.
_SUMMARIES = join_proof(
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.tags,
        AlertDestination.is_enabled,
        AlertDelivery.status,
        AlertDelivery.receipt,
        AlertDelivery.receipt_at,
        AlertDestination.settings_version,
        AlertDelivery.id,
        AlertDelivery.updated_at,
        or_(
            AlertDelivery.updated_at > bindparam("recent_since"),
            PlannedTest.ended_at > bindparam("recent_since"),
            PlannedTest.id.is_not(None) & PlannedTest.ended_at.is_(None),
        ),
        PlannedTest.id,
        AlertDestination.needs_confirmation,
        AlertDelivery.sent_at,
        *PROOF_COLUMNS,
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .outerjoin(PlannedTest, PlannedTest.alert_destination_id == AlertDestination.id)
    .where(
        AlertDestination.workspace_id.in_(bindparam("workspace_ids", expanding=True)),
        AlertDestination.deleted_at.is_(None),
    )
)

_ROWS = _SUMMARIES.with_only_columns(
    *(type_coerce(column, NullType()) for column in _SUMMARIES.selected_columns), maintain_column_froms=True
)

_TABS = {status: Tab(badge_for(status)) for status in (None, *DeliveryStatus)}


def _tab_of(is_enabled: bool, newest: DeliveryStatus | None, receipt: Receipt | None) -> Tab:
    if not is_enabled:
        return Tab.DISABLED
    return Tab.MISSING if is_missing(newest, receipt) else _TABS[newest]
