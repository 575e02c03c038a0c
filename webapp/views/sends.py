"""Views for Send test: send a test and poll its outcome. Both return the status fragment."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_destination, load_visit
from webapp.dashboard.status_fragment import build_status, find_block_reason, load_status, render_status
from webapp.models import AlertDestination
from webapp.sends.eligibility import RequestResult
from webapp.sends.request import press

bp = Blueprint("sends", __name__)

Fragment = tuple[str, int, dict[str, str]]

# HTTP status and refusal for each result of a press.
RESPONSES = {
    RequestResult.ACCEPTED: (200, None),
    RequestResult.NOT_ALLOWED: (403, None),
    RequestResult.DISABLED: (409, "Not sent: this destination was just disabled or deleted."),
    RequestResult.COOLING_DOWN: (429, "Not sent: a test was sent to this destination less than a minute ago."),
    RequestResult.TOO_MANY_REQUESTS: (
        429,
        "Not sent: too many tests were sent. Wait a minute, then send another test.",
    ),
    RequestResult.QUEUE_UNAVAILABLE: (503, None),
}


@bp.post("/w/<slug>/destinations/<destination_id>/test")
def send_test(slug: str, destination_id: str) -> Fragment | Response:
    """Send a test, or return why not: 403 not allowed, 409 disabled, 429 too soon, 503 queue unavailable."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    now = datetime.now(UTC)
    block_reason = find_block_reason(visit, destination, None, now)
    result = press(visit, destination, now)
    status, refusal = RESPONSES[result]
    refusal = block_reason or refusal
    if request.headers.get("Sec-Fetch-Mode") == "navigate":  # a browser without JavaScript
        if refusal:
            flash(refusal)
        return redirect(url_for("destinations.show", slug=slug, destination_id=destination.id), 303)
    # At least 1 s: the rate limiter's cooldown may outlast the row's by a fraction of a second.
    wait = 60 if result is RequestResult.TOO_MANY_REQUESTS else 1
    return _render_response(visit, destination, status, refusal, wait)


@bp.get("/w/<slug>/destinations/<destination_id>/status")
def show(slug: str, destination_id: str) -> Fragment:
    """Return the current status fragment."""
    visit = load_visit(slug)
    return _render_response(visit, load_destination(visit, destination_id), 200)


def _render_response(
    visit: Visit, destination: AlertDestination, code: int, refusal: str | None = None, wait: int = 1
) -> Fragment:
    now = datetime.now(UTC)
    newest, shared = load_status(destination, now)
    status = build_status(visit, destination, newest, now, refusal, shared)
    headers = {"Retry-After": str(max(status.cooldown, wait))} if code == 429 else {}
    if request.method == "POST" or status.poll_ms is None:
        headers["HX-Trigger"] = "tested"  # reloads the other fragments that show this test
    return render_status(visit, status, now), code, headers
