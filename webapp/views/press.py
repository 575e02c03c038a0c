"""The press on Send test, and the poll for its outcome: both answer the status fragment."""

from datetime import UTC, datetime

from flask import Blueprint, request

from webapp import cooldown, deliveries, jobs
from webapp.access import Visit, load_destination, load_visit
from webapp.models import AlertDestination
from webapp.status import find_obstacle, find_settled_test, render_status, show_status

bp = Blueprint("press", __name__)

Fragment = tuple[str, int, dict[str, str]]


@bp.post("/w/<slug>/destinations/<destination_id>/test")
def send_test(slug: str, destination_id: str) -> Fragment:
    """Send a test, or say why not: 403 may not, 409 disabled, 429 too soon, 503 the queue is gone."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    obstacle = find_obstacle(visit, destination)
    if obstacle:
        return _answer(visit, destination, 409 if visit.role.may_test else 403, obstacle)
    now = datetime.now(UTC)
    try:
        with cooldown.door(destination.id, visit.account.id, visit.workspace.id):
            delivery_id = deliveries.request_test(destination, visit.account, now)
    except cooldown.CoolingDown:
        return _answer(visit, destination, 429, "Not sent: a test was sent less than a minute ago.")
    except cooldown.TooManyPresses:
        refusal = "Not sent: too many tests were sent. Wait for a minute, then press again."
        return _answer(visit, destination, 429, refusal, wait=60)
    except deliveries.DestinationDisabled:
        return _answer(visit, destination, 409, "Not sent: the destination has just been disabled or deleted.")
    try:
        jobs.enqueue_delivery(delivery_id)
    except jobs.QueueUnavailable:
        deliveries.fail_unqueued(delivery_id, datetime.now(UTC))
        return _answer(visit, destination, 503)
    return _answer(visit, destination, 200)


@bp.get("/w/<slug>/destinations/<destination_id>/status")
def show(slug: str, destination_id: str) -> Fragment:
    """Answer the status fragment as it stands."""
    visit = load_visit(slug)
    return _answer(visit, load_destination(visit, destination_id), 200)


def _answer(
    visit: Visit, destination: AlertDestination, code: int, refusal: str | None = None, wait: int = 1
) -> Fragment:
    now = datetime.now(UTC)
    status = show_status(visit, destination, find_settled_test(destination, now), now, refusal)
    # wait: Flask-Limiter's window may outlast the row's by a fraction of a second; then it is one second more.
    headers = {"Retry-After": str(max(status.cooldown, wait))} if code == 429 else {}
    if request.method == "POST" or status.poll is None:
        headers["HX-Trigger"] = "tested"  # the list of last test sends listens
    return render_status(visit, status, now), code, headers
