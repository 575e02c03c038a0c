"""Views that show and export the history of a workspace or of one destination."""

from datetime import datetime

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup

from webapp.auth.access import Visit, load_past_destination, load_visit
from webapp.auth.account_time_zones import viewer_zone
from webapp.channels import CHANNELS
from webapp.dashboard.filter_options import draw_options
from webapp.dashboard.history_rows import draw_history_rows
from webapp.database.driver_rows import DriverRow
from webapp.database.keyset_pages import KeysetPage
from webapp.deliveries import end_overdue_tests
from webapp.failures import Code
from webapp.history import DeliveryFilter, DeliveryKind, is_waiting, list_page, parse_filter, write_csv
from webapp.models import AlertDestination, DeliveryStatus, database_clock
from webapp.text.csv_export import MAX_ROWS
from webapp.text.cursors import Cursor, parse_cursor
from webapp.views.csv_downloads import stream_workspace_csv

bp = Blueprint("history", __name__)


@bp.get("/w/<slug>/history")
def show(slug: str) -> str:
    """Show a page of the history, newest first."""
    visit, now = load_visit(slug), database_clock.now()
    destination = _load_destination(visit)
    criteria = parse_filter(request.args, destination.id if destination else None, viewer_zone())
    before = parse_cursor(request.args["before"]) or abort(404) if request.args.get("before") else None
    page = _load_page(visit.workspace.id, criteria, before, now)
    return render_template(
        "history.html",
        visit=visit,
        destination=destination,
        criteria=criteria,
        before=before,
        page=page,
        rows=Markup().join(draw_history_rows(visit, page.entries, viewer_zone(), now)),
        options=_draw_options(criteria),
        max_rows=MAX_ROWS,
        now=now,
    )


@bp.get("/w/<slug>/history.csv")
def download(slug: str) -> Response:
    """Stream the history as CSV."""
    visit, now = load_visit(slug), database_clock.now()
    destination = _load_destination(visit)
    criteria = parse_filter(request.args, destination.id if destination else None, viewer_zone())
    end_overdue_tests(visit.workspace.id, now)
    name = f"history-{visit.workspace.slug}{f'-{destination.id}' if destination else ''}-{now:%Y%m%dT%H%M%SZ}.csv"
    return stream_workspace_csv(write_csv(visit.workspace.id, criteria), name, visit)


def _load_page(
    workspace_id: int, criteria: DeliveryFilter, before: Cursor | None, now: datetime
) -> KeysetPage[DriverRow]:
    """Load a page, and once more if it showed an overdue test. A filter by outcome would hide one, so it ends first."""
    if criteria.has_outcome:
        end_overdue_tests(workspace_id, now)
        return list_page(workspace_id, criteria, before)
    page = list_page(workspace_id, criteria, before)
    is_out_of_date = any(map(is_waiting, page.entries)) and end_overdue_tests(workspace_id, now)
    return list_page(workspace_id, criteria, before) if is_out_of_date else page


def _draw_options(criteria: DeliveryFilter) -> dict[str, Markup]:
    """Draw the options of each list of the filter."""
    codes = sorted({*_CODES, *filter(None, [criteria.code])})
    return {
        "kind": draw_options(_KINDS, criteria.kind),
        "status": draw_options(_STATUSES, criteria.status),
        "code": draw_options((("", "Any code"), *((code, code) for code in codes)), criteria.code),
        "channel": draw_options(_CHANNELS, criteria.channel),
    }


_KINDS = (
    ("", "Tests and real alerts"),
    (DeliveryKind.TEST.value, "Tests"),
    (DeliveryKind.DRILL.value, "Drills only"),
    (DeliveryKind.REAL.value, "Real alerts"),
)
_STATUSES = (("", "Any status"), *((status.value, status.capitalize()) for status in DeliveryStatus))
_CODES = tuple(sorted(code.value for code in Code))
_CHANNELS = (("", "All channels"), *((name, channel.label) for name, channel in CHANNELS.items()))


def _load_destination(visit: Visit) -> AlertDestination | None:
    destination_id = request.args.get("destination")
    return load_past_destination(visit, destination_id) if destination_id else None
