"""Tells how a form was submitted."""

from flask import request


def is_page_load() -> bool:
    """Return whether the browser shows the response as a page, as it does for a form without JavaScript.

    Programs without the header get what a page with JavaScript gets, with the same statuses.
    """
    return request.headers.get("Sec-Fetch-Mode") == "navigate"
