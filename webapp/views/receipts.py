"""Views that record whether people saw a test message: by the link in it, or on its destination's page."""

import logging
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_test_send, load_visit
from webapp.auth.sessions import public
from webapp.dashboard.receipt_watch import watch_receipt
from webapp.deliveries import find_linked, record_by_link, record_by_member, record_for_customer
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.extensions import csrf, limiter
from webapp.models import AlertDelivery, AlertDestination, Receipt, database_clock
from webapp.receipt_links import PATH, Forged
from webapp.text.names import NameInvalid, read_name
from webapp.views.customer_links import load_links
from webapp.views.destinations import render_details
from webapp.views.form_submissions import is_page_load
from webapp.views.headers import PRIVATE_HEADERS

bp = Blueprint("receipts", __name__)
log = logging.getLogger(__name__)

PageResponse = tuple[str, int]

# Title and advice for an unknown or expired link.
LINK_INVALID = (
    "This link does not work",
    "A link works for seven days after the test was sent. Copy the whole link again, or ask the person who sent the "
    "test to send another test.",
)

# Receipts by the value of the form's button.
RECEIPTS = {"yes": Receipt.SEEN, "no": Receipt.MISSING}
# The value of the button by which a member writes down what a customer said.
BY_CUSTOMER = "customer"

# The event that makes an open page refresh itself at once.
NEWS = {"HX-Trigger": "receipt"}

NOT_RECORDED = "Not recorded: the test is still pending, or it was not delivered."


@bp.after_request
def keep_link_private(response: Response) -> Response:
    """Set the private headers on every page of a link, error pages included."""
    if "token" in (request.view_args or {}):
        response.headers.update(PRIVATE_HEADERS)
    return response


@bp.get(f"{PATH}<token>")
@public
@limiter.limit("30 per minute")
def show(token: str) -> PageResponse:
    """Show the button that confirms the message. Changes nothing, because mail scanners open links too."""
    delivery = _find_delivery(token)
    return _render_link_invalid() if delivery is None else _render_open(delivery, "open")


@bp.post(f"{PATH}<token>")
@public
# The token authorizes the request, not a session, and a forged request would have to know the token.
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.limit("20 per minute")
def confirm(token: str) -> PageResponse:
    """Record that the message was seen. Works once for each message, for anyone with the link.

    Mail scanners submit forms too, so a press that comes too soon after its page, or from no page, only opens the link.
    """
    delivery = _find_delivery(token)
    if delivery is None:
        return _render_link_invalid()
    now, proof = database_clock.now(), request.form.get("page", "")
    if not current_settings().links.was_page_read(proof, delivery.id, delivery.reference or "", now):
        log.info("receipt link opened", extra={"delivery": delivery.id})
        return _render_open(delivery, "early")
    return _render(delivery, "noted", 200) if record_by_link(delivery, now) else _render(delivery, "closed", 410)


@bp.get("/w/<slug>/destinations/<destination_id>/watch")
def watch(slug: str, destination_id: str) -> tuple[str, int, dict[str, str]]:
    """Return the fragment that polls for what others do, and make the page refresh itself if there is news."""
    visit, now = load_visit(slug), database_clock.now()
    destination = load_destination(visit, destination_id)
    links = load_links(visit, destination, now)
    state = watch_receipt(find_newest_test(destination), now, bool(links and links.current))
    headers = NEWS if state.is_news(request.args.get("shown", "")) else {}
    return render_template("_receipt_watch.html", visit=visit, destination=destination, watch=state), 200, headers


@bp.post("/w/<slug>/destinations/<destination_id>/receipt")
def record(slug: str, destination_id: str) -> tuple[str, int, dict[str, str]] | Response:
    """Record for a test what a member saw, or what a customer told them.

    Returns 400 if the customer's name is invalid, 403 if the role may not, 409 if the test needs no confirmation.
    """
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    if not visit.role.may_test:
        abort(403)
    seen = request.form.get("seen", "")
    if seen != BY_CUSTOMER and seen not in RECEIPTS:
        abort(400)
    delivery, now = load_test_send(destination, request.form.get("delivery", "")), database_clock.now()
    try:
        is_recorded = _record(visit, delivery, seen, now)
    except NameInvalid as error:
        return _respond(visit, destination, now, 400, str(error))
    return _respond(visit, destination, now, 200) if is_recorded else _respond(visit, destination, now, 409)


def _record(visit: Visit, delivery: AlertDelivery, seen: str, now: datetime) -> bool:
    if seen == BY_CUSTOMER:
        return record_for_customer(delivery, visit.account, read_name(request.form.get("customer", "")), now)
    return record_by_member(delivery, visit.account, RECEIPTS[seen], now)


def _respond(
    visit: Visit, destination: AlertDestination, now: datetime, status: int, error: str | None = None
) -> tuple[str, int, dict[str, str]] | Response:
    """Return the details, or lead a browser without JavaScript back to the page. error: about the customer's name."""
    if is_page_load():
        if status != 200:
            flash(f"Not recorded. {error}" if error else NOT_RECORDED)
        return redirect(url_for("destinations.show", slug=visit.workspace.slug, destination_id=destination.id), 303)
    return render_details(visit, destination, now, error), status, NEWS if status == 200 else {}


def _find_delivery(token: str) -> AlertDelivery | None:
    try:
        delivery_id, reference = current_settings().links.read(token)
    except Forged:
        return None
    return find_linked(delivery_id, reference, database_clock.now())


def _render_open(delivery: AlertDelivery, state: str) -> PageResponse:
    """Render the page with the button, unless the message is already marked as seen."""
    if delivery.receipt is Receipt.SEEN:
        return _render(delivery, "closed", 410)
    # Only now, because loading the delivery has read the clock of the database if it had not been read lately.
    made_at = database_clock.now()
    page = current_settings().links.sign_page(delivery.id, delivery.reference or "", made_at)
    return _render(delivery, state, 200, page)


def _render(delivery: AlertDelivery, state: str, status: int, page: str | None = None) -> PageResponse:
    return render_template("receipt_link.html", reference=delivery.reference, state=state, page=page, bare=True), status


def _render_link_invalid() -> PageResponse:
    title, advice = LINK_INVALID
    return render_template("error.html", title=title, advice=advice, home=url_for("workspaces.home"), bare=True), 404
