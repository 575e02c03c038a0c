"""Error pages: what happened and what to do, for people and for fragments that asked in the background."""

import logging
import secrets

from flask import Flask, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from webapp.extensions import db

log = logging.getLogger(__name__)

Answer = tuple[str, int, dict[str, str]]

PAGES = {
    400: (
        "That did not work",
        "The page was too old, or the request was incomplete. Load the page again, then repeat.",
    ),
    403: ("You may not do this", "Your role in this workspace does not allow it. Ask one of its admins."),
    404: ("There is nothing here", "It may have been deleted, or it belongs to a workspace you are not a member of."),
    405: ("That did not work", "This address does not take such a request."),
    413: ("That is too large", "Send less at once."),
    429: ("Too many tries", "Wait for a minute, then try again."),
    503: ("The database is busy", "It may not have been done. Wait for a moment, look, then try again if need be."),
}
"""Title and advice by status."""


def init_errors(app: Flask) -> None:
    """Answer every error with a page of ours."""
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(CSRFError, _answer_http_error)
    app.register_error_handler(OperationalError, _answer_busy_database)
    app.register_error_handler(Exception, _answer_surprise)


def _answer_http_error(error: HTTPException) -> Answer | Response:
    status = error.code or 500
    # For a host that is none of ours, Flask builds no address, and a page of ours is full of them.
    if status < 400 or error.response is not None or isinstance(error, SecurityError):
        return error.get_response()
    title, advice = PAGES.get(status, (error.name, "Go back and try again."))
    headers = {"Retry-After": "60"} if status == 429 else {}
    return render_error(status, title, advice, headers)


def _answer_busy_database(error: OperationalError) -> Answer:
    db.session.rollback()
    log.error("database unavailable", extra={"rule": request.url_rule, "error": type(error.orig).__name__})
    return render_error(503, *PAGES[503], {"Retry-After": "5"})


def _answer_surprise(error: Exception) -> Answer:
    db.session.rollback()
    reference = secrets.token_hex(4)
    facts = {"rule": request.url_rule, "reference": reference, "error": type(error).__name__}
    log.error("request broke", extra=facts)
    advice = f"It is our mistake. Give the operator this reference: {reference}."
    return render_error(500, "Something went wrong", advice, {})


def render_error(status: int, title: str, advice: str, headers: dict[str, str]) -> Answer:
    """Render an error page. A fragment's request makes the whole page load again: no error page inside a badge."""
    if request.headers.get("HX-Request") and status < 500:
        headers = headers | {"HX-Refresh": "true"}
    home, bare = url_for("workspaces.home"), status >= 500
    return render_template("error.html", title=title, advice=advice, home=home, bare=bare), status, headers
