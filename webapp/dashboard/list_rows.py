"""Draws the rows of the list. A row that shows the same as the last time is not loaded and drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import get_template_attribute, url_for
from markupsafe import Markup

from webapp.app_state import app_state, current_settings
from webapp.auth.access import Visit
from webapp.channels import CHANNELS
from webapp.dashboard.drawn_text_cache import find_drawn, keep_drawn
from webapp.dashboard.list_version import find_row_version
from webapp.dashboard.planned_test_status import list_plans
from webapp.dashboard.recent_results import list_recent_results
from webapp.dashboard.status_fragment import SharedStatusData, build_status
from webapp.dashboard.summaries import DestinationSummary, Tab, list_planned_ids
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.destinations.masking import mask_target
from webapp.metrics.backlog import count_waiting
from webapp.models import AlertDestination
from webapp.text.tags import split_tags

# Rows that a process keeps, of up to 4 KB each with what they were drawn from.
CAPACITY = 2_000


@dataclass(frozen=True)
class ListRows:
    """The rows of a page, in its order.

    is_waiting: whether one waits for a result. has_changed: whether a destination was changed after its summary was
    read. Such a row is not kept: if the change were taken back, the version of its summary would return, too.
    """

    rows: Sequence[Markup]
    is_waiting: bool
    has_changed: bool


@dataclass
class _FreshRows:
    """Rows by destination. is_waiting: as in `ListRows`. changed: the destinations of `ListRows.has_changed`."""

    rows: dict[int, Markup] = field(default_factory=dict)
    is_waiting: bool = False
    changed: set[int] = field(default_factory=set)


def draw_rows(visit: Visit, ids: Sequence[int], summaries: Sequence[DestinationSummary], now: datetime) -> ListRows:
    """Draw the rows of these destinations. Executes no query if each shows the same as the last time.

    summaries: of these destinations, with tests as recent as `SETTLING_TIME` marked.
    """
    versions = {summary.destination_id: find_row_version(summary, now) for summary in summaries}
    page = visit.role, url_for("workspaces.show", slug=visit.workspace.slug)
    kept = app_state().drawn_rows
    drawn = {row_id: row for row_id in ids if (row := find_drawn(kept, (page, row_id), versions[row_id])) is not None}
    missing = [row_id for row_id in ids if row_id not in drawn]
    fresh = _draw_fresh(visit, missing, summaries, now) if missing else _FreshRows()
    for row_id, row in fresh.rows.items():
        version = None if row_id in fresh.changed else versions[row_id]
        keep_drawn(kept, (page, row_id), version, row, CAPACITY)
    drawn |= fresh.rows
    rows = [drawn[row_id] for row_id in ids if row_id in drawn]
    return ListRows(rows, fresh.is_waiting, bool(fresh.changed))


def _draw_fresh(visit: Visit, ids: Sequence[int], summaries: Sequence[DestinationSummary], now: datetime) -> _FreshRows:
    by_id = {summary.destination_id: summary for summary in summaries}
    proof = {row_id: summary.proof for row_id, summary in by_id.items()}
    plans, pending = list_plans(list_planned_ids(summaries, set(ids))), count_waiting(visit.workspace.id)
    shared = SharedStatusData(list_recent_results(ids), pending, plans, proof)
    cipher, draw_row = current_settings().cipher, get_template_attribute("_row.html", "draw_row")
    fresh = _FreshRows()
    for destination, newest in list_with_newest_test(ids):
        status = build_status(visit, destination, newest, shared, now)
        where = mask_target(destination, visit.role, cipher)
        fresh.rows[destination.id] = draw_row(visit, status, where, CHANNELS, now)
        fresh.is_waiting = fresh.is_waiting or status.poll_ms is not None
        if _has_changed(by_id[destination.id], destination):
            fresh.changed.add(destination.id)
    return fresh


def _has_changed(summary: DestinationSummary, destination: AlertDestination) -> bool:
    """Return whether what can be changed back was changed. Settings and tests get a new version with each change."""
    read = summary.name, summary.tags, summary.state is Tab.DISABLED
    return read != (destination.name, split_tags(destination.tags), not destination.is_enabled)
