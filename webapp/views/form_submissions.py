"""Reads how a form was submitted, and what it confirms."""

from flask import request


def confirms_paging() -> bool:
    """Return whether the form confirms that its tests page people."""
    return request.form.get("confirm_paging") == "yes"


def is_page_load() -> bool:
    """Return whether the browser shows the response as a page, as it does for a form without JavaScript.

    Programs without the header get what a page with JavaScript gets, with the same statuses.
    """
    return request.headers.get("Sec-Fetch-Mode") == "navigate"
