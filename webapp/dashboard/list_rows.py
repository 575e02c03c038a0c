"""Draws the rows of the list. A row that shows the same as the last time is not loaded and drawn again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import get_template_attribute, url_for
from markupsafe import Markup

from webapp.app_state import app_state, current_settings
from webapp.auth.access import Visit
from webapp.channels import CHANNELS
from webapp.dashboard.drawn_texts import find_drawn, keep_drawn
from webapp.dashboard.list_version import find_row_version
from webapp.dashboard.status_fragment import build_status, load_shared_status_data
from webapp.dashboard.summaries import DestinationSummary, list_planned_ids
from webapp.deliveries.queries import list_with_newest_test
from webapp.destinations.masking import mask_target

# Rows that a process keeps, of up to 4 KB each with what they were drawn from.
CAPACITY = 2_000


@dataclass(frozen=True)
class ListRows:
    """The rows of a page, in its order. is_waiting: whether one waits for a result."""

    rows: Sequence[Markup]
    is_waiting: bool


def draw_rows(visit: Visit, ids: Sequence[int], summaries: Sequence[DestinationSummary], now: datetime) -> ListRows:
    """Draw the rows of these destinations. Executes no query if each shows the same as the last time.

    summaries: of these destinations, with tests as recent as `SETTLING_TIME` marked.
    """
    versions = {summary.destination_id: find_row_version(summary, now) for summary in summaries}
    page = visit.role, url_for("workspaces.show", slug=visit.workspace.slug)
    kept = app_state().drawn_rows
    drawn = {row_id: row for row_id in ids if (row := find_drawn(kept, (page, row_id), versions[row_id])) is not None}
    missing = [row_id for row_id in ids if row_id not in drawn]
    fresh, is_waiting = _draw_fresh(visit, missing, summaries, now) if missing else ({}, False)
    for row_id, row in fresh.items():
        keep_drawn(kept, (page, row_id), versions[row_id], row, CAPACITY)
    drawn |= fresh
    return ListRows([drawn[row_id] for row_id in ids if row_id in drawn], is_waiting)


def _draw_fresh(
    visit: Visit, ids: Sequence[int], summaries: Sequence[DestinationSummary], now: datetime
) -> tuple[Mapping[int, Markup], bool]:
    proof = {summary.destination_id: summary.proof for summary in summaries}
    shared = load_shared_status_data(visit.workspace.id, ids, list_planned_ids(summaries, set(ids)), proof)
    cipher, draw_row = current_settings().cipher, get_template_attribute("_row.html", "draw_row")
    drawn, is_waiting = {}, False
    for destination, newest in list_with_newest_test(ids):
        status = build_status(visit, destination, newest, now, shared=shared)
        where = mask_target(destination, visit.role, cipher)
        drawn[destination.id] = draw_row(visit, status, where, CHANNELS, now)
        is_waiting = is_waiting or status.poll_ms is not None
    return drawn, is_waiting
