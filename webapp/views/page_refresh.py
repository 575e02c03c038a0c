"""What an open page needs to refresh itself once a minute: when to ask again, and a response without a body."""

import math

from flask import Flask, Response, request

from webapp.app_state import app_state
from webapp.auth.sessions import is_public

# htmx's name of the element that asks: the part of a page that is refreshed.
SOURCE = "div#page"


def init_page_refresh(app: Flask) -> None:
    """Tell every page that refreshes itself when to do so again, in seconds.

    Only what a signed-in visitor gets counts: strangers could otherwise make all pages ask and poll less often.
    """
    app.jinja_env.globals["is_refresh"] = is_refresh

    @app.after_request
    def limit_refreshes(response: Response) -> Response:
        if is_refresh() and response.status_code in (200, 304) and not is_public():
            response.headers["Poll-After"] = str(math.ceil(app_state().poll_budget.next_refresh()))
        return response


def is_refresh() -> bool:
    """Return whether an open page asks for its new state."""
    return request.headers.get("HX-Source") == SOURCE


def is_current(version: str) -> bool:
    """Return whether the page that asks shows this version already."""
    return request.if_none_match.contains_weak(version)


def respond_not_modified(version: str) -> Response:
    """Return 304, which leaves the page as it is."""
    response = Response(status=304)
    response.set_etag(version, weak=True)
    return response
