"""Views of the search over all workspaces of the visitor.

What was searched for may be a secret: it arrives in the body of a POST and appears in no address, page or log.
"""

import logging

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from redis.exceptions import RedisError
from werkzeug.wrappers import Response

from webapp.auth.access import list_memberships
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.extensions import limiter
from webapp.models import database_clock
from webapp.search.query import read_query
from webapp.search.results import SearchResults, search

bp = Blueprint("search", __name__)
log = logging.getLogger(__name__)

# Searches per account: more than a person makes, and too few to try out recipients.
LIMIT = RateLimitItemPerMinute(30)


@bp.get("/search")
def show() -> str:
    """Show the empty search page."""
    return _render(None)


@bp.post("/search")
def find() -> str | Response:
    """Search, and show what was found, or lead to the one test send with the reference."""
    account = current_account()
    if _is_limited(account.id):
        # htmx shows no error page.
        return make_response(_render(None, is_limited=True), 200 if request.headers.get("HX-Request") else 429)
    query = read_query(request.form.get("q", ""))
    if query.is_empty:
        return _render(None)
    results = search(query, list_memberships(account))
    if results.only_test is not None and results.only_test.delivery.reference:
        return _lead_to(url_for("references.show", reference=results.only_test.delivery.reference))
    return _render(results)


def _is_limited(account_id: int) -> bool:
    try:
        return not limiter.limiter.hit(LIMIT, "search", str(account_id))
    except (StorageError, RedisError):  # without the queue server, support still has to find the destination
        log.warning("limiter storage unavailable, the search is not limited")
        return False


def _lead_to(path: str) -> Response:
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": path})
    return redirect(path, 303)


def _render(results: SearchResults | None, is_limited: bool = False) -> str:
    return render_template(
        "search.html",
        results=results,
        is_limited=is_limited,
        channels=CHANNELS,
        now=database_clock.now(),
    )
