"""What people say of a test message: the page that its link leads to, and the answer on its destination's page."""

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.access import load_destination, load_test_send, load_visit
from webapp.auth.sessions import public
from webapp.deliveries import find_linked, record_by_link, record_by_member
from webapp.extensions import csrf, limiter
from webapp.models import AlertDelivery, Receipt
from webapp.receipt_links import PATH, Forged
from webapp.views.destinations import render_details

bp = Blueprint("receipts", __name__)

Page = tuple[str, int, dict[str, str]]

PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
"""Whoever knows the address of such a page may answer on it."""

NOT_THERE = (
    "This link does not work",
    "A link works for seven days after the test was sent. Copy it again, whole, or ask whoever sent the test to send "
    "another one.",
)
ANSWERS = {"yes": Receipt.SEEN, "no": Receipt.MISSING}


@bp.get(f"{PATH}<token>")
@public
@limiter.limit("30 per minute")
def show(token: str) -> Page:
    """Ask whether the message is seen, and change nothing: mail scanners open links too."""
    delivery = _find_delivery(token)
    if delivery is None:
        return _render_not_there()
    return _render(delivery, "closed", 410) if delivery.receipt is Receipt.SEEN else _render(delivery, "open", 200)


@bp.post(f"{PATH}<token>")
@public
# No session speaks here: the token does, and a page that forged the request would have to know it.
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.limit("20 per minute")
def confirm(token: str) -> Page:
    """Note that the message was seen: once, by whoever holds its link."""
    delivery = _find_delivery(token)
    if delivery is None:
        return _render_not_there()
    is_new = record_by_link(delivery, datetime.now(UTC))
    return _render(delivery, "noted", 200) if is_new else _render(delivery, "closed", 410)


@bp.post("/w/<slug>/destinations/<destination_id>/receipt")
def record(slug: str, destination_id: str) -> tuple[str, int] | Response:
    """Note what a member says of a test: 403 may not, 409 there is no doubt about it."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    if not visit.role.may_test:
        abort(403)
    receipt = ANSWERS.get(request.form.get("seen", "")) or abort(400)
    delivery, now = load_test_send(destination, request.form.get("delivery", "")), datetime.now(UTC)
    is_noted = record_by_member(delivery, visit.account, receipt, now)
    if request.headers.get("Sec-Fetch-Mode") == "navigate":  # a browser without JavaScript
        if not is_noted:
            flash("Not noted: that test is under way, or was not delivered.")
        return redirect(url_for("destinations.show", slug=slug, destination_id=destination.id), 303)
    return render_details(visit, destination, now), 200 if is_noted else 409


def _find_delivery(token: str) -> AlertDelivery | None:
    try:
        delivery_id, reference = current_settings().links.read(token)
    except Forged:
        return None
    return find_linked(delivery_id, reference, datetime.now(UTC))


def _render(delivery: AlertDelivery, state: str, status: int) -> Page:
    return render_template("seen.html", reference=delivery.reference, state=state, bare=True), status, PRIVATE


def _render_not_there() -> Page:
    title, advice = NOT_THERE
    page = render_template("error.html", title=title, advice=advice, home=url_for("workspaces.home"), bare=True)
    return page, 404, PRIVATE
