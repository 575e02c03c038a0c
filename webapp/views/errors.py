"""Error pages: each states what happened and what to do, for whole pages and for fragments."""

import logging
import math
import secrets
import time

from flask import Flask, render_template, request, url_for
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, NotFound, SecurityError, TooManyRequests
from werkzeug.wrappers import Response

from webapp.database.foreign_key_errors import is_reference_gone
from webapp.database.outages import Outage, describe_outage, find_outage
from webapp.database.sessions import discard_transaction
from webapp.extensions import limiter

log = logging.getLogger(__name__)

ErrorResponse = tuple[str, int, dict[str, str]]

# Title and advice by status.
ERROR_PAGES = {
    400: (
        "The request could not be completed",
        "The page was out of date, or the request was incomplete. Reload the page, then try again.",
    ),
    403: (
        "You are not allowed to do this",
        "Your role in this workspace does not allow it. Ask an admin of the workspace.",
    ),
    404: ("Page not found", "The page may have been deleted, or you are not a member of its workspace."),
    405: ("The request could not be completed", "This address does not accept this type of request."),
    413: ("The request is too large", "Shorten what you entered, then try again."),
    429: ("Too many attempts", "Wait {wait}, then try again."),
}

_TRY_LATER = "Wait a moment, check the result, then try again if needed."
RELOAD = "Wait a moment, then reload the page."
_READS = ("GET", "HEAD")
_TELL = "Tell your Alertcheck administrator."

# Title and advice by the reason why the database cannot be used.
OUTAGE_PAGES = {
    Outage.BUSY: ("The database is busy", f"Your request may not have completed. {_TRY_LATER}"),
    Outage.UNREACHABLE: ("The database is not available", f"Your request may not have completed. {_TRY_LATER}"),
    Outage.READ_ONLY: (
        "The database accepts no changes",
        f"The database accepts no changes at the moment, so your request was not completed. {_TELL}",
    ),
    Outage.FULL: (
        "The database is full",
        f"The database has no space left, so your request was not completed. {_TELL}",
    ),
    Outage.NOT_MIGRATED: (
        "The database is not up to date",
        f"The database does not match this version of Alertcheck, so your request was not completed. {_TELL}",
    ),
    Outage.NOT_PERMITTED: (
        "The database refuses access",
        f"Alertcheck may not use a part of its database, so your request was not completed. {_TELL}",
    ),
}


def init_errors(app: Flask) -> None:
    """Register a handler for every error, so that each shows an error page."""
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(SQLAlchemyError, _handle_database_error)
    app.register_error_handler(ObjectDeletedError, _handle_vanished_row)
    app.register_error_handler(StaleDataError, _handle_vanished_row)
    app.register_error_handler(Exception, _handle_unexpected_error)


def _handle_http_error(error: HTTPException) -> ErrorResponse | Response:
    status = error.code or 500
    # An error page contains links, and Flask cannot build URLs for a host that is not trusted.
    if status < 400 or error.response is not None or isinstance(error, SecurityError):
        return error.get_response()
    title, advice = ERROR_PAGES.get(status, (error.name, "Go back and try again."))
    if not isinstance(error, TooManyRequests):
        return render_error(status, title, advice, {})
    seconds = _find_wait(error)
    return render_error(status, title, advice.format(wait=describe_wait(seconds)), {"Retry-After": str(seconds)})


def _handle_vanished_row(_error: SQLAlchemyError) -> ErrorResponse | Response:
    """Respond as for a page that never existed: its row was removed while the request was handled."""
    discard_transaction()
    return _handle_http_error(NotFound())


def _find_wait(error: TooManyRequests) -> int:
    """Return the seconds until the limit that refused a request ends."""
    if isinstance(error.retry_after, int):
        return max(error.retry_after, 1)
    limit = limiter.current_limit
    if limit is None:
        return 60
    longest = limit.limit.get_expiry()
    try:
        return min(max(math.ceil(limit.reset_at - time.time()), 1), longest)
    except StorageError:  # Redis died after it counted the request
        return longest


def describe_wait(seconds: int) -> str:
    """Return a time of waiting in words."""
    if seconds >= 100:
        return f"{math.ceil(seconds / 60)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def _handle_database_error(error: SQLAlchemyError) -> ErrorResponse | Response:
    if is_reference_gone(error):
        return _handle_vanished_row(error)
    outage = find_outage(error)
    if outage is None:
        return _handle_unexpected_error(error)
    discard_transaction()
    kind = type(getattr(error, "orig", None) or error).__name__
    log.error("database unavailable", extra={"rule": request.url_rule, "outage": describe_outage(error), "error": kind})
    title, advice = OUTAGE_PAGES[outage]
    if request.method in _READS and outage in (Outage.BUSY, Outage.UNREACHABLE):
        advice = RELOAD
    return render_error(503, title, advice, {"Retry-After": "5"})


def _handle_unexpected_error(error: Exception) -> ErrorResponse:
    discard_transaction()
    reference = secrets.token_hex(4)
    facts = {"rule": request.url_rule, "reference": reference, "error": type(error).__name__}
    log.error("request failed", extra=facts)
    advice = f"This is an error in Alertcheck. Give your Alertcheck administrator this reference: {reference}."
    return render_error(500, "Something went wrong", advice, {})


def render_error(status: int, title: str, advice: str, headers: dict[str, str]) -> ErrorResponse:
    """Render an error page.

    For a fragment's request with a status below 500, htmx reloads the whole page: no error page inside a badge.
    """
    if request.headers.get("HX-Request") and status < 500:
        headers = headers | {"HX-Refresh": "true"}
    page = {"title": title, "advice": advice, "home": url_for("workspaces.home")}
    try:
        return render_template("error.html", **page, bare=status >= 500), status, headers
    except SQLAlchemyError:  # the page without what it reads from the database is as true as with it
        discard_transaction()
        return render_template("error.html", **page, bare=True), status, headers
