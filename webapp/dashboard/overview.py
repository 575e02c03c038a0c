"""Filters, sorts and counts the destinations of workspaces for the list pages."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webapp.dashboard.badge_age import describe_oldest, find_oldest_change
from webapp.dashboard.proof_gaps import ProofGap, count_gaps, find_gaps, find_next_stale
from webapp.dashboard.summaries import DestinationSummary, Tab
from webapp.database.numbered_pages import NumberedPage, cut_page, parse_page
from webapp.presses.eligibility import pages_people
from webapp.text.search_text import contains_text, read_search_text

# Destinations per page of the list.
PAGE_SIZE = 100

_URGENCY = {state: number for number, state in enumerate(Tab)}


class Order(StrEnum):
    """Sort orders of the list."""

    URGENT = "urgent"
    NAME = "name"
    CHANNEL = "channel"


@dataclass(frozen=True)
class ListQuery:
    """Filter, order and page of the list. None or an empty text means no filter. page: starts at 1."""

    state: Tab | None = None
    gap: ProofGap | None = None
    channel: str | None = None
    tag: str | None = None
    text: str = ""
    order: Order = Order.URGENT
    page: int = 1

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the URL query parameters for this list, with `changed` applied and defaults left out."""
        parameters = {
            "state": self.state,
            "gap": self.gap,
            "channel": self.channel,
            "tag": self.tag,
            "q": self.text,
            "order": self.order,
            "page": self.page,
        }
        defaults = {"order": Order.URGENT, "page": 1}
        return {name: value for name, value in (parameters | changed).items() if value and value != defaults.get(name)}


@dataclass(frozen=True)
class Overview:
    """The destinations of a workspace, counted.

    oldest: how long ago the oldest of the accepted last tests was accepted: "64 days ago"; empty below a day.
    sentence: a summary of the states.
    """

    counts: Mapping[Tab, int]
    gaps: Mapping[ProofGap, int]
    oldest: str
    sentence: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def has_broken(self) -> bool:
        return any(count for state, count in self.counts.items() if state.is_broken)


def parse_list_query(query: Mapping[str, str]) -> ListQuery:
    """Parse URL query parameters. An unknown value counts as unset."""
    state, gap, order = query.get("state", ""), query.get("gap", ""), query.get("order", "")
    return ListQuery(
        state=Tab(state) if state in list(Tab) else None,
        gap=ProofGap(gap) if gap in list(ProofGap) else None,
        channel=query.get("channel") or None,
        tag=query.get("tag") or None,
        text=read_search_text(query.get("q")),
        order=Order(order) if order in list(Order) else Order.URGENT,
        page=parse_page(query.get("page")),
    )


def build_list_page(summaries: Sequence[DestinationSummary], query: ListQuery, now: datetime) -> NumberedPage[int]:
    """Filter and sort destinations, and return the ids on the requested page; past the end, on the last one."""
    found = [summary.destination_id for summary in find_matching(summaries, query, now)]
    return cut_page(found, query.page, PAGE_SIZE)


def find_matching(summaries: Sequence[DestinationSummary], query: ListQuery, now: datetime) -> list[DestinationSummary]:
    """Filter and sort destinations."""
    found = (summary for summary in summaries if _matches(summary, query, now))
    return sorted(found, key=_RANKS[query.order])


def list_tags(summaries: Sequence[DestinationSummary], query: ListQuery) -> list[str]:
    """Return the tags to filter by, in alphabetical order, with the one that is chosen."""
    return sorted({tag for summary in summaries for tag in summary.tags} | ({query.tag} if query.tag else set()))


def count_states(summaries: Sequence[DestinationSummary]) -> dict[Tab, int]:
    """Return the number of destinations in each state."""
    counts = Counter(summary.state for summary in summaries)
    return {state: counts[state] for state in Tab}


def build_overview(summaries: Sequence[DestinationSummary], now: datetime) -> Overview:
    """Count the destinations of one workspace by state and by gap."""
    oldest = describe_oldest(summaries, now)
    counts = count_states(summaries)
    return Overview(counts, count_gaps(summaries, now), oldest, describe_overview(counts, oldest))


def find_overview_change(summaries: Sequence[DestinationSummary], now: datetime) -> datetime | None:
    """Return when the overview next changes although nothing happens, or None."""
    changes = (find_oldest_change(summaries, now), find_next_stale(summaries, now))
    return min((change for change in changes if change), default=None)


def build_overviews(summaries: Sequence[DestinationSummary], now: datetime) -> dict[int, Overview]:
    """Return the overview of each workspace that has any destination."""
    by_workspace: dict[int, list[DestinationSummary]] = {}
    for summary in summaries:
        by_workspace.setdefault(summary.workspace_id, []).append(summary)
    return {workspace_id: build_overview(own, now) for workspace_id, own in by_workspace.items()}


def count_paging(summaries: Iterable[DestinationSummary]) -> int:
    """Return how many enabled destinations page people."""
    return sum(summary.state is not Tab.DISABLED and pages_people(summary.channel) for summary in summaries)


def describe_overview(counts: Mapping[Tab, int], oldest: str = "") -> str:
    """Return a summary of the states in one or two sentences. oldest: as in `Overview`."""
    in_use = sum(counts.values()) - counts[Tab.DISABLED]
    parts = [
        _describe_accepted(counts[Tab.SENT], in_use, oldest),
        _count_phrase(counts[Tab.FAILED], "failed", "failed"),
        _count_phrase(counts[Tab.MISSING], "message was reported missing", "messages were reported missing"),
        _count_phrase(counts[Tab.PENDING], "is under way", "are under way"),
        _count_phrase(counts[Tab.NEVER], "was never tested", "were never tested"),
    ]
    disabled = _count_phrase(counts[Tab.DISABLED], "is disabled", "are disabled")
    return "; ".join(filter(None, parts)) + "." + (f" {disabled}." if disabled else "")


def _matches(summary: DestinationSummary, query: ListQuery, now: datetime) -> bool:
    return (
        query.state in (None, summary.state)
        and (query.gap is None or query.gap in find_gaps(summary, now))
        and query.channel in (None, summary.channel)
        and (query.tag is None or query.tag in summary.tags)
        and contains_text(query.text, summary.name)
    )


# What the destinations are sorted by, in each order.
_RANKS: Mapping[Order, Callable[[DestinationSummary], tuple[object, ...]]] = {
    Order.URGENT: lambda row: (_URGENCY[row.state], row.name.casefold(), row.destination_id),
    Order.CHANNEL: lambda row: (row.channel, row.name.casefold(), row.destination_id),
    Order.NAME: lambda row: (row.name.casefold(), row.destination_id),
}


def _describe_accepted(sent: int, in_use: int, oldest: str) -> str:
    if not in_use:
        return "No destination is enabled"
    if sent == in_use == 1:
        return f"The destination accepted its last test {oldest}".rstrip()
    accepted = "accepted its last test" if in_use == 1 else "accepted their last test"
    age = f", {'the oldest ' * (sent > 1)}{oldest}" if oldest else ""
    subject = f"All {in_use} destinations" if sent == in_use else f"{sent} of {in_use} destination{'s' * (in_use != 1)}"
    return f"{subject} {accepted}{age}"


def _count_phrase(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}" if count else ""
