"""Summarizes, filters and sorts the destinations of workspaces for the list pages."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select

from webapp.deliveries.arrival import is_missing
from webapp.deliveries.outcome import badge_for
from webapp.deliveries.queries import newest_test_id_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, Receipt

# Destinations per page.
PAGE_SIZE = 50


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


class Order(StrEnum):
    """Sort orders of the list."""

    URGENT = "urgent"
    NAME = "name"
    CHANNEL = "channel"


class RowChanges(NamedTuple):
    """What else a row of the list depends on.

    newest_id, newest_status: of the newest test send. planned_id: of the planned test, ended or not.
    is_recent: whether the newest test send changed, or the planned test ended, after `recent_since`; or it still waits.
    receipt_at: when its receipt was given, as a Unix time; None without one.
    """

    settings_version: int
    newest_id: int | None
    newest_status: str | None
    is_recent: bool | None
    planned_id: int | None
    receipt_at: float | None


class DestinationSummary(NamedTuple):
    """The columns of a destination that filtering and sorting need.

    is_stale: whether its newest test send was requested before `stale_before`.
    changed: what differs whenever a row shows something else; see `webapp.dashboard.list_version`.
    """

    destination_id: int
    workspace_id: int
    name: str
    channel: str
    state: Tab
    changed: RowChanges | None = None
    is_stale: bool | None = None


@dataclass(frozen=True)
class ListQuery:
    """Filter, order and page of the list. None or an empty text means no filter. page: starts at 1."""

    state: Tab | None = None
    channel: str | None = None
    text: str = ""
    order: Order = Order.URGENT
    page: int = 1

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the URL query parameters for this list, with `changed` applied and defaults left out."""
        parameters = {
            "state": self.state,
            "channel": self.channel,
            "q": self.text,
            "order": self.order,
            "page": self.page,
        }
        defaults = {"order": Order.URGENT, "page": 1}
        return {name: value for name, value in (parameters | changed).items() if value and value != defaults.get(name)}


@dataclass(frozen=True)
class ListPage:
    """One page of matching destinations. total: matches on all pages. page: starts at 1. pages: at least 1."""

    ids: list[int]
    total: int
    page: int
    pages: int


def parse_list_query(query: Mapping[str, str]) -> ListQuery:
    """Parse URL query parameters. An unknown value counts as unset."""
    state, order, page = query.get("state", ""), query.get("order", ""), query.get("page", "")
    return ListQuery(
        state=Tab(state) if state in list(Tab) else None,
        channel=query.get("channel") or None,
        text=query.get("q", "").strip()[:100],
        order=Order(order) if order in list(Order) else Order.URGENT,
        page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def list_summaries(
    workspace_ids: Sequence[int], recent_since: datetime | None = None, stale_before: datetime | None = None
) -> list[DestinationSummary]:
    """Return all destinations of these workspaces. Executes one query; its cost is independent of past deliveries."""
    times = {"recent_since": recent_since, "stale_before": stale_before}
    rows = db.session.execute(_SUMMARIES, {"workspace_ids": workspace_ids} | times)
    return [
        DestinationSummary(
            row_id,
            workspace,
            name,
            channel,
            _tab_of(is_enabled, newest, receipt),
            RowChanges(version, newest_id, newest, is_recent, planned_id, told.timestamp() if told else None),
            is_stale,
        )
        for (
            row_id,
            workspace,
            name,
            channel,
            is_enabled,
            newest,
            receipt,
            told,
            version,
            newest_id,
            is_recent,
            planned_id,
            is_stale,
        ) in rows
    ]


def build_list_page(summaries: Sequence[DestinationSummary], query: ListQuery) -> ListPage:
    """Filter and sort destinations, and return the requested page. A page past the end returns the last page."""
    found = sorted(
        filter(lambda summary: _matches(summary, query), summaries), key=lambda summary: _rank(summary, query)
    )
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(query.page, pages)
    on_page = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return ListPage([summary.destination_id for summary in on_page], len(found), page, pages)


def list_planned_ids(summaries: Sequence[DestinationSummary], ids: Collection[int]) -> list[int]:
    """Return those of these destinations that have a planned test, ended or not."""
    planned = [row.destination_id for row in summaries if row.changed and row.changed.planned_id]
    return [destination_id for destination_id in planned if destination_id in ids]


def count_states(summaries: Sequence[DestinationSummary]) -> dict[Tab, int]:
    """Return the number of destinations in each state."""
    counts = Counter(summary.state for summary in summaries)
    return {state: counts[state] for state in Tab}


def count_states_by_workspace(summaries: Sequence[DestinationSummary]) -> dict[int, dict[Tab, int]]:
    """Return the number of destinations in each state, for each workspace that has any."""
    counts = Counter((summary.workspace_id, summary.state) for summary in summaries)
    return {workspace_id: {state: counts[workspace_id, state] for state in Tab} for workspace_id, _ in counts}


def describe_overview(counts: Mapping[Tab, int]) -> str:
    """Return a summary of the states in one or two sentences."""
    in_use = sum(counts.values()) - counts[Tab.DISABLED]
    parts = [
        _describe_accepted(counts[Tab.SENT], in_use),
        _count_phrase(counts[Tab.FAILED], "failed", "failed"),
        _count_phrase(counts[Tab.MISSING], "message was reported missing", "messages were reported missing"),
        _count_phrase(counts[Tab.PENDING], "is under way", "are under way"),
        _count_phrase(counts[Tab.NEVER], "was never tested", "were never tested"),
    ]
    disabled = _count_phrase(counts[Tab.DISABLED], "is disabled", "are disabled")
    return "; ".join(filter(None, parts)) + "." + (f" {disabled}." if disabled else "")


# Built once, because every list page executes it.
_SUMMARIES = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.is_enabled,
        AlertDelivery.status,
        AlertDelivery.receipt,
        AlertDelivery.receipt_at,
        AlertDestination.settings_version,
        AlertDelivery.id,
        or_(
            AlertDelivery.updated_at > bindparam("recent_since"),
            PlannedTest.ended_at > bindparam("recent_since"),
            PlannedTest.id.is_not(None) & PlannedTest.ended_at.is_(None),
        ),
        PlannedTest.id,
        AlertDelivery.created_at < bindparam("stale_before"),
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .outerjoin(PlannedTest, PlannedTest.alert_destination_id == AlertDestination.id)
    .where(
        AlertDestination.workspace_id.in_(bindparam("workspace_ids", expanding=True)),
        AlertDestination.deleted_at.is_(None),
    )
)


_TABS = {status: Tab(badge_for(status)) for status in (None, *DeliveryStatus)}
_URGENCY = {state: number for number, state in enumerate(Tab)}


def _tab_of(is_enabled: bool, newest: DeliveryStatus | None, receipt: Receipt | None) -> Tab:
    if not is_enabled:
        return Tab.DISABLED
    return Tab.MISSING if is_missing(newest, receipt) else _TABS[newest]


def _matches(summary: DestinationSummary, query: ListQuery) -> bool:
    return (
        query.state in (None, summary.state)
        and query.channel in (None, summary.channel)
        and (not query.text or query.text.casefold() in summary.name.casefold())
    )


def _rank(summary: DestinationSummary, query: ListQuery) -> tuple[object, ...]:
    by_name = (summary.name.casefold(), summary.destination_id)
    match query.order:
        case Order.URGENT:
            return (_URGENCY[summary.state], *by_name)
        case Order.CHANNEL:
            return (summary.channel, *by_name)
        case Order.NAME:
            return by_name


def _describe_accepted(sent: int, in_use: int) -> str:
    if not in_use:
        return "No destination is enabled"
    accepted = "accepted its last test" if in_use == 1 else "accepted their last test"
    if sent == in_use:
        return f"The destination {accepted}" if in_use == 1 else f"All {in_use} destinations {accepted}"
    return f"{sent} of {in_use} destination{'s' * (in_use != 1)} {accepted}"


def _count_phrase(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}" if count else ""
