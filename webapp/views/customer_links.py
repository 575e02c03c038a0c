"""Views for members who make and revoke links for the customer, on the page of a destination."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth import customer_links
from webapp.auth.access import Visit, load_destination, load_visit
from webapp.extensions import limiter
from webapp.models import AlertDestination, CustomerLink, database_clock
from webapp.text.ids import parse_id

bp = Blueprint("customer_links", __name__, url_prefix="/w/<slug>/destinations/<destination_id>")

PageResponse = tuple[str, int] | tuple[str, int, dict[str, str]] | Response


@dataclass(frozen=True)
class Links:
    """What the fragment shows.

    current: the links that work, each with whether this visitor may revoke it.
    new: the address of a link that was just made, which is never shown again, or None. refusal: why none was made.
    """

    current: list[tuple[CustomerLink, bool]]
    new: str | None = None
    refusal: str | None = None
    lifetimes: tuple[int, ...] = customer_links.LIFETIMES


def load_links(
    visit: Visit, destination: AlertDestination, now: datetime, new: str | None = None, refusal: str | None = None
) -> Links | None:
    """Load what the fragment shows; None where it is not offered, or to visitors who may not test. One query."""
    if not visit.role.may_test or not customer_links.are_customer_links_offered(destination.type):
        return None
    links = customer_links.list_links(destination, now)
    return Links([(link, customer_links.may_revoke(visit, link)) for link in links], new, refusal)


@bp.post("/links")
@limiter.limit("20 per minute")
def make(slug: str, destination_id: str) -> PageResponse:
    """Make a link and show it, once. Returns 403 if the role may not, 409 if there can be no link."""
    visit, destination = _load(slug, destination_id)
    hours = parse_id(request.form.get("hours", ""))
    if hours not in customer_links.LIFETIMES:
        abort(400)
    now = database_clock.now()
    try:
        token = customer_links.make_link(visit, destination, hours, now)
    except customer_links.LinkRefused as refused:
        return _render(visit, destination, refusal=str(refused)), 409
    origin = current_settings().links.public_url or request.host_url.rstrip("/")
    page = _render(visit, destination, origin + url_for("customer_page.show", customer_token=token))
    return page, 200, {"HX-Trigger": "link-made"}  # from now on, the page watches for what the customer does


@bp.post("/revoke/<link>")
def revoke(slug: str, destination_id: str, link: str) -> PageResponse:
    """End a link. Returns 403 to everybody except admins and whoever made it."""
    visit, destination = _load(slug, destination_id)
    now = database_clock.now()
    found = customer_links.find_link(destination, parse_id(link) or abort(404), now) or abort(404)
    if not customer_links.may_revoke(visit, found):
        abort(403)
    customer_links.revoke_link(found, destination, visit.account, now)
    if request.headers.get("HX-Request"):
        return _render(visit, destination, is_revoked=True), 200
    flash("The link was revoked.")
    return redirect(url_for("destinations.show", slug=slug, destination_id=destination.id), 303)


def _load(slug: str, destination_id: str) -> tuple[Visit, AlertDestination]:
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    if not visit.role.may_test:
        abort(403)
    return visit, destination


def _render(
    visit: Visit,
    destination: AlertDestination,
    new: str | None = None,
    refusal: str | None = None,
    *,
    is_revoked: bool = False,
) -> str:
    """Render the fragment, or for a browser without JavaScript a page with it: a new link is stored nowhere."""
    now = database_clock.now()
    template = "_customer_links.html" if request.headers.get("HX-Request") else "customer_links.html"
    links = load_links(visit, destination, now, new, refusal) or Links([], refusal=refusal)
    shown = {"links": links, "is_revoked": is_revoked, "now": now}
    return render_template(template, visit=visit, destination=destination, **shown)
