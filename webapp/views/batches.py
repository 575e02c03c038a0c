"""Views for Test all: start a batch and show its progress. Both return the progress fragment."""

from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_visit
from webapp.dashboard.overview import list_summaries
from webapp.sends.batches import measure_progress, press_all

bp = Blueprint("batches", __name__)

Fragment = tuple[str, dict[str, str]]


@bp.post("/w/<slug>/test-all")
def send_all(slug: str) -> Fragment | Response:
    """Send a test to every destination that is enabled and not cooling down, at most 100. Viewers get 403."""
    visit = load_visit(slug)
    if not visit.role.may_test:
        abort(403)
    destination_ids = [summary.destination_id for summary in list_summaries([visit.workspace.id])]
    batch = press_all(visit, destination_ids, datetime.now(UTC))
    if request.headers.get("Sec-Fetch-Mode") == "navigate":  # a browser without JavaScript
        return redirect(url_for("workspaces.show", slug=slug, batch=batch), 303)
    return _render_progress(visit, batch)


@bp.get("/w/<slug>/batches/<batch>")
def show(slug: str, batch: str) -> Fragment:
    """Show the progress of a batch."""
    return _render_progress(load_visit(slug), batch)


def _render_progress(visit: Visit, batch: str) -> Fragment:
    progress = measure_progress(visit.workspace.id, batch)
    is_list_outdated = request.method == "POST" or progress.ended == progress.total
    headers = {"HX-Trigger": "tested-all"} if is_list_outdated else {}
    return render_template("_batch.html", visit=visit, progress=progress), headers
