"""The history of a workspace or of one of its destinations, as a page and as a file."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, render_template, request, stream_with_context

from webapp.auth.access import Visit, load_past_destination, load_visit
from webapp.channels import CHANNELS
from webapp.deliveries import end_overdue_tests
from webapp.deliveries.outcome import Outcome, describe_outcome
from webapp.failures import Code
from webapp.history import MOST_ROWS, Entry, list_page, read_filter, read_key, write_csv
from webapp.models import AlertDestination, DeliveryStatus

bp = Blueprint("history", __name__)

log = logging.getLogger(__name__)


@bp.get("/w/<slug>/history")
def show(slug: str) -> str:
    """Show what was sent, the newest first."""
    visit, now = load_visit(slug), datetime.now(UTC)
    destination = _load_chosen(visit)
    wanted = read_filter(request.args, destination.id if destination else None)
    before = read_key(request.args.get("before", ""))
    end_overdue_tests(visit.workspace.id, now)
    page = list_page(visit.workspace.id, wanted, before)
    return render_template(
        "history.html",
        visit=visit,
        destination=destination,
        wanted=wanted,
        before=before,
        page=page,
        rows=[(entry, _tell(entry)) for entry in page.entries],
        statuses=list(DeliveryStatus),
        codes=sorted({*Code, *filter(None, [wanted.code])}),
        channels=CHANNELS,
        most=MOST_ROWS,
        now=now,
    )


@bp.get("/w/<slug>/history.csv")
def download(slug: str) -> Response:
    """Answer the same as CSV, while it is being read."""
    visit, now = load_visit(slug), datetime.now(UTC)
    destination = _load_chosen(visit)
    wanted = read_filter(request.args, destination.id if destination else None)
    end_overdue_tests(visit.workspace.id, now)
    log.info("history exported", extra={"workspace": visit.workspace.id, "account": visit.account.id})
    name = f"history-{visit.workspace.slug}{f'-{destination.id}' if destination else ''}-{now:%Y%m%dT%H%M%SZ}.csv"
    lines: Iterator[str] = stream_with_context(write_csv(visit.workspace.id, wanted))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lines, headers=headers, content_type="text/csv; charset=utf-8")


def _load_chosen(visit: Visit) -> AlertDestination | None:
    chosen = request.args.get("destination")
    return load_past_destination(visit, chosen) if chosen else None


def _tell(entry: Entry) -> Outcome:
    return describe_outcome(entry.delivery, entry.destination.type)
