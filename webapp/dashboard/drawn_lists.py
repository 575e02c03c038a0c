"""Draws the list of a workspace. A list that shows the same as the last time is not summarized and drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from markupsafe import Markup

from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.channels import CHANNELS
from webapp.dashboard.drawn_texts import find_drawn, keep_drawn
from webapp.dashboard.list_rows import draw_rows
from webapp.dashboard.list_version import SETTLING_TIME, find_next_change, find_state
from webapp.dashboard.overview import ListQuery, Order, build_list_page, build_overview, count_paging, list_tags
from webapp.dashboard.summaries import DestinationSummary, fetch_summary_rows, list_summaries

# Lists that a process keeps, of up to 100 KB each, and workspaces whose summaries it keeps.
MAX_LISTS, MAX_WORKSPACES = 20, 50

# Destinations of a workspace up to which its summaries are kept.
MAX_DESTINATIONS = 1_000


@dataclass(frozen=True)
class KnownSummaries:
    """The destinations of a workspace, and what its pages compute from them.

    state: differs whenever the list does, times aside; None while tests are changing.
    until: when the list may show something else although nothing happened.
    paging: how many enabled destinations page people.
    """

    summaries: Sequence[DestinationSummary]
    state: str | None
    until: datetime
    paging: int


def load_known_summaries(workspace_id: int, now: datetime) -> KnownSummaries:
    """Load the destinations of a workspace. Executes one query, and another one if its result is not the last one."""
    kept, recent_since = app_state().known_summaries, now - SETTLING_TIME
    rows = fetch_summary_rows(workspace_id, now, recent_since)
    known: KnownSummaries | None = find_drawn(kept, workspace_id, rows)
    if known is not None and now < known.until:
        return known
    # What has changed since the rows were read is read again, because they differ then.
    summaries = known.summaries if known is not None else list_summaries([workspace_id], now, recent_since)
    until, state = find_next_change(summaries, now), find_state(summaries, now)
    known = KnownSummaries(summaries, state, until, count_paging(summaries))
    keep_drawn(kept, workspace_id, rows if len(rows) <= MAX_DESTINATIONS else None, known, MAX_WORKSPACES)
    return known


def draw_list(visit: Visit, known: KnownSummaries, query: ListQuery, now: datetime) -> Markup:
    """Draw the list with its tabs and filters, as this role sees it."""
    lists, key = app_state().drawn_lists, (visit.workspace.id, visit.role, query)
    version = (known.state, known.until) if known.state and now < known.until else None
    drawn: Markup | None = find_drawn(lists, key, version)
    if drawn is None:
        drawn = _draw(visit, known.summaries, query, now)
        keep_drawn(lists, key, version, drawn, MAX_LISTS)
    return drawn


def _draw(visit: Visit, summaries: Sequence[DestinationSummary], query: ListQuery, now: datetime) -> Markup:
    list_page = build_list_page(summaries, query, now)
    rows = draw_rows(visit, list_page.rows, summaries, now)
    return Markup(  # noqa: S704 - a template has escaped it
        render_template(
            "_overview.html",
            visit=visit,
            query=query,
            list_page=list_page,
            overview=build_overview(summaries, now),
            orders=Order,
            tags=list_tags(summaries, query),
            rows=rows.rows,
            is_waiting=rows.is_waiting,
            channels=CHANNELS,
        )
    )
