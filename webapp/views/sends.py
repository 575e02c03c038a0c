"""The press on Send test, and the poll for its outcome: both answer the status fragment."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_destination, load_visit
from webapp.dashboard.status_fragment import find_obstacle, load_status, render_status, show_status
from webapp.models import AlertDestination
from webapp.sends.eligibility import RequestResult
from webapp.sends.request import press

bp = Blueprint("sends", __name__)

Fragment = tuple[str, int, dict[str, str]]

ANSWERS = {
    RequestResult.ACCEPTED: (200, None),
    RequestResult.NOT_ALLOWED: (403, None),
    RequestResult.DISABLED: (409, "Not sent: the destination has just been disabled or deleted."),
    RequestResult.COOLING_DOWN: (429, "Not sent: a test was sent less than a minute ago."),
    RequestResult.TOO_MANY_REQUESTS: (
        429,
        "Not sent: too many tests were sent. Wait for a minute, then press again.",
    ),
    RequestResult.QUEUE_UNAVAILABLE: (503, None),
}
"""Status and refusal by what came of the press."""


@bp.post("/w/<slug>/destinations/<destination_id>/test")
def send_test(slug: str, destination_id: str) -> Fragment | Response:
    """Send a test, or say why not: 403 may not, 409 disabled, 429 too soon, 503 the queue is gone."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    now = datetime.now(UTC)
    obstacle = find_obstacle(visit, destination, None, now)
    result = press(visit, destination, now)
    status, refusal = ANSWERS[result]
    refusal = obstacle or refusal
    if request.headers.get("Sec-Fetch-Mode") == "navigate":  # a browser without JavaScript
        if refusal:
            flash(refusal)
        return redirect(url_for("destinations.show", slug=slug, destination_id=destination.id), 303)
    # Flask-Limiter's window may outlast the row's by a fraction of a second; then it is one second more.
    return _answer(visit, destination, status, refusal, wait=60 if result is RequestResult.TOO_MANY_REQUESTS else 1)


@bp.get("/w/<slug>/destinations/<destination_id>/status")
def show(slug: str, destination_id: str) -> Fragment:
    """Answer the status fragment as it stands."""
    visit = load_visit(slug)
    return _answer(visit, load_destination(visit, destination_id), 200)


def _answer(
    visit: Visit, destination: AlertDestination, code: int, refusal: str | None = None, wait: int = 1
) -> Fragment:
    now = datetime.now(UTC)
    newest, shared = load_status(destination, now)
    status = show_status(visit, destination, newest, now, refusal, shared)
    headers = {"Retry-After": str(max(status.cooldown, wait))} if code == 429 else {}
    if request.method == "POST" or status.poll_ms is None:
        headers["HX-Trigger"] = "tested"  # what else on the page speaks of the test listens
    return render_status(visit, status, now), code, headers
