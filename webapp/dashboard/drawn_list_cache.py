"""Draws the list of a workspace. A list that shows the same as the last time is not computed and drawn again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from flask import render_template
from markupsafe import Markup

from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.channels import CHANNELS
from webapp.dashboard.drawn_text_cache import find_drawn, keep_drawn
from webapp.dashboard.list_rows import ListRows, draw_rows
from webapp.dashboard.list_version import SETTLING_TIME, find_next_change, find_state
from webapp.dashboard.overview import (
    ListQuery,
    Order,
    Overview,
    build_list_page,
    build_overview,
    count_paging,
    find_overview_change,
    list_tags,
)
from webapp.dashboard.summaries import (
    DestinationSummary,
    SummaryRow,
    fetch_summary_rows,
    is_waiting,
    read_summaries,
)
from webapp.database.numbered_pages import NumberedPage

# Lists that a process keeps, of up to 100 KB each.
MAX_LISTS = 20

# Destinations that a process keeps, of about 1 KB each: those of the workspaces that were shown last.
MAX_DESTINATIONS = 20_000

# Held by the thread that changes what is kept.
_changing = Lock()


@dataclass(frozen=True)
class ListPage:
    """What a page of the list shows.

    page: the ids of its destinations. summaries: of these, in the same order. tags: to filter by.
    total, paging, has_waiting: of the whole workspace, as in `KnownDestinations`.
    state: differs whenever the page does, times aside; None while tests of its destinations are changing.
    since, until: between these times, it shows the same if nothing happens. Earlier times come from a clock that was
        set back.
    """

    page: NumberedPage[int]
    summaries: Sequence[DestinationSummary]
    overview: Overview
    tags: Sequence[str]
    total: int
    paging: int
    has_waiting: bool
    state: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True)
class KnownDestinations:
    """The destinations of a workspace, and the pages of the list that were made of them.

    by_row: by what the database has. paging: how many enabled ones page people.
    has_waiting: whether the newest test send of any has not ended.
    """

    by_row: Mapping[SummaryRow, DestinationSummary]
    paging: int
    has_waiting: bool
    pages: dict[ListQuery, ListPage] = field(default_factory=dict)


def load_list(workspace_id: int, query: ListQuery, now: datetime) -> ListPage:
    """Load a page of the list. Executes one query, and computes nothing again if its result is that of the last one."""
    known = _load_destinations(workspace_id, now)
    shown = known.pages.get(query)
    if shown is None or not shown.since <= now < shown.until:
        if len(known.pages) >= MAX_LISTS:
            known.pages.clear()
        shown = known.pages[query] = _build(known, query, now)
    return shown


def draw_list(visit: Visit, shown: ListPage, query: ListQuery, now: datetime) -> tuple[Markup, bool]:
    """Draw the list with its tabs and filters, as this role sees it.

    Returns it, and whether it has the state of `shown`: not if somebody changed a destination in between.
    """
    lists, key = app_state().drawn_lists, (visit.workspace.id, visit.role, query)
    version = (shown.state, shown.until) if shown.state and now < shown.until else None
    kept: Markup | None = find_drawn(lists, key, version)
    if kept is not None:
        return kept, True
    rows = draw_rows(visit, shown.page.rows, shown.summaries, now)
    drawn = _draw(visit, shown, query, rows)
    keep_drawn(lists, key, None if rows.has_changed else version, drawn, MAX_LISTS)
    return drawn, not rows.has_changed


def _load_destinations(workspace_id: int, now: datetime) -> KnownDestinations:
    """Fetch the destinations of a workspace, and read those that have changed."""
    rows = fetch_summary_rows([workspace_id], now, now - SETTLING_TIME)
    kept: dict[int, KnownDestinations] = app_state().known_destinations
    known = kept.get(workspace_id)
    if known is not None and list(known.by_row) == rows:
        return known
    read = known.by_row if known is not None else {}
    changed = [row for row in rows if row not in read]
    fresh = dict(zip(changed, read_summaries(changed), strict=True))
    by_row = {row: fresh.get(row) or read[row] for row in rows}
    known = KnownDestinations(by_row, count_paging(by_row.values()), any(map(is_waiting, by_row.values())))
    _keep(kept, workspace_id, known)
    return known


def _keep(kept: dict[int, KnownDestinations], workspace_id: int, known: KnownDestinations) -> None:
    """Keep them as the newest ones, and drop the oldest ones beyond `MAX_DESTINATIONS`."""
    with _changing:
        kept.pop(workspace_id, None)
        kept[workspace_id] = known
        while sum(len(one.by_row) + 1 for one in kept.values()) > MAX_DESTINATIONS:  # an empty workspace counts, too
            kept.pop(next(iter(kept)))


def _build(known: KnownDestinations, query: ListQuery, now: datetime) -> ListPage:
    everything = list(known.by_row.values())
    page, tags = build_list_page(everything, query, now), list_tags(everything, query)
    overview = build_overview(everything, now)
    by_id = {summary.destination_id: summary for summary in everything}
    summaries = [by_id[destination_id] for destination_id in page.rows]  # in whatever order the database returned them
    beside = (overview, tags, page.total, page.number, len(everything), known.paging)
    state, until = find_state(summaries, beside, now), find_next_change(summaries, now)
    until = min(until, find_overview_change(everything, now) or until)
    total, has_waiting = len(everything), known.has_waiting
    return ListPage(page, summaries, overview, tags, total, known.paging, has_waiting, state, now, until)


def _draw(visit: Visit, shown: ListPage, query: ListQuery, rows: ListRows) -> Markup:
    return Markup(  # noqa: S704 - a template has escaped it
        render_template(
            "_destination_list.html",
            visit=visit,
            query=query,
            list_page=shown.page,
            overview=shown.overview,
            orders=Order,
            tags=shown.tags,
            rows=rows.rows,
            is_waiting=rows.is_waiting,
            channels=CHANNELS,
        )
    )
