"""The glance over workspaces: in what state their destinations are, and which of them a visitor wants to see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, select

from webapp.deliveries.outcome import badge_for
from webapp.deliveries.queries import newest_test_id_subquery
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus

ON_A_PAGE = 50


class Tab(StrEnum):
    """The tabs of the list, most urgent first: one per badge, and one for disabled destinations."""

    FAILED = "failed"
    PENDING = "pending"
    NEVER = "never"
    SENT = "sent"
    DISABLED = "disabled"


class Order(StrEnum):
    """How a list is sorted."""

    URGENT = "urgent"
    NAME = "name"
    CHANNEL = "channel"


class DestinationSummary(NamedTuple):
    """A destination, as far as a list is chosen from."""

    destination_id: int
    workspace_id: int
    name: str
    channel: str
    state: Tab


@dataclass(frozen=True)
class ListQuery:
    """What the visitor wants to see. None, and an empty text: everything. page: from 1."""

    state: Tab | None = None
    channel: str | None = None
    text: str = ""
    order: Order = Order.URGENT
    page: int = 1

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the query of the page's address that chooses this, without what needs no saying."""
        list_page = {
            "state": self.state,
            "channel": self.channel,
            "q": self.text,
            "order": self.order,
            "page": self.page,
        }
        usual = {"order": Order.URGENT, "page": 1}
        return {name: value for name, value in (list_page | changed).items() if value and value != usual.get(name)}


@dataclass(frozen=True)
class ListPage:
    """A page of what was chosen. total: on all pages."""

    ids: list[int]
    total: int
    page: int
    pages: int


def parse_list_query(query: Mapping[str, str]) -> ListQuery:
    """Read a choice from the page's address; a word that means nothing chooses nothing."""
    state, order, page = query.get("state", ""), query.get("order", ""), query.get("page", "")
    return ListQuery(
        state=Tab(state) if state in list(Tab) else None,
        channel=query.get("channel") or None,
        text=query.get("q", "").strip()[:100],
        order=Order(order) if order in list(Order) else Order.URGENT,
        page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def list_summaries(workspace_ids: Sequence[int]) -> list[DestinationSummary]:
    """Fetch all destinations of these workspaces: one query, whose cost does not depend on the deliveries there are."""
    rows = db.session.execute(_SUMMARIES, {"workspace_ids": workspace_ids})
    return [
        DestinationSummary(row_id, workspace_id, name, channel, _tab_of(is_enabled, newest))
        for row_id, workspace_id, name, channel, is_enabled, newest in rows
    ]


def select_page(summaries: Sequence[DestinationSummary], query: ListQuery) -> ListPage:
    """Filter, sort and cut a page out."""
    found = sorted(
        filter(lambda summary: _matches(summary, query), summaries), key=lambda summary: _rank(summary, query)
    )
    pages = max(1, -(-len(found) // ON_A_PAGE))
    page = min(query.page, pages)
    on_page = found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    return ListPage([summary.destination_id for summary in on_page], len(found), page, pages)


def count_states(summaries: Sequence[DestinationSummary]) -> dict[Tab, int]:
    """Count the destinations in each state."""
    counts = Counter(summary.state for summary in summaries)
    return {state: counts[state] for state in Tab}


def describe_overview(counts: Mapping[Tab, int]) -> str:
    """Say in one sentence whether all is well."""
    in_use = sum(counts.values()) - counts[Tab.DISABLED]
    parts = [
        _describe_accepted(counts[Tab.SENT], in_use),
        _count_phrase(counts[Tab.FAILED], "failed", "failed"),
        _count_phrase(counts[Tab.PENDING], "is under way", "are under way"),
        _count_phrase(counts[Tab.NEVER], "was never tested", "were never tested"),
    ]
    disabled = _count_phrase(counts[Tab.DISABLED], "is disabled", "are disabled")
    return "; ".join(filter(None, parts)) + "." + (f" {disabled}." if disabled else "")


# Put together once, since every list asks for it.
_SUMMARIES = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.is_enabled,
        AlertDelivery.status,
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .where(
        AlertDestination.workspace_id.in_(bindparam("workspace_ids", expanding=True)),
        AlertDestination.deleted_at.is_(None),
    )
)


_TABS = {status: Tab(badge_for(status)) for status in (None, *DeliveryStatus)}
_URGENCY = {state: number for number, state in enumerate(Tab)}


def _tab_of(is_enabled: bool, newest: DeliveryStatus | None) -> Tab:
    return _TABS[newest] if is_enabled else Tab.DISABLED


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
        return "No destination is in use"
    accepted = "accepted its last test" if in_use == 1 else "accepted their last test"
    if sent == in_use:
        return f"The destination {accepted}" if in_use == 1 else f"All {in_use} destinations {accepted}"
    return f"{sent} of {in_use} destination{'s' * (in_use != 1)} {accepted}"


def _count_phrase(count: int, of_one: str, of_many: str) -> str:
    return f"{count} {of_one if count == 1 else of_many}" if count else ""
