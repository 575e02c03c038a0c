"""The press on Test all, and how far its tests have come: both answer the progress fragment."""

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
    """Send a test to every destination that is enabled and not cooling down, 100 at most; 403 to viewers."""
    visit = load_visit(slug)
    if not visit.role.may_test:
        abort(403)
    destination_ids = [summary.destination_id for summary in list_summaries([visit.workspace.id])]
    batch = press_all(visit, destination_ids, datetime.now(UTC))
    if request.headers.get("Sec-Fetch-Mode") == "navigate":  # a browser without JavaScript
        return redirect(url_for("workspaces.show", slug=slug, batch=batch), 303)
    return _answer(visit, batch)


@bp.get("/w/<slug>/batches/<batch>")
def show(slug: str, batch: str) -> Fragment:
    """Answer how far they have come."""
    return _answer(load_visit(slug), batch)


def _answer(visit: Visit, batch: str) -> Fragment:
    progress = measure_progress(visit.workspace.id, batch)
    has_news = request.method == "POST" or progress.ended == progress.total
    headers = {"HX-Trigger": "tested-all"} if has_news else {}
    return render_template("_batch.html", visit=visit, progress=progress), headers
