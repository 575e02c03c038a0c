"""Answers a request whose body the web server cannot read, such as one with malformed chunks: it is not our mistake."""

from flask import Flask
from gunicorn.http.errors import NoMoreData, ParseException

from webapp.views.errors import ERROR_PAGES, ErrorResponse, render_error


def init_unreadable_requests(app: Flask) -> None:
    """Register the handlers. gunicorn raises these errors while a view reads the body."""
    for kind in (ParseException, NoMoreData):
        app.register_error_handler(kind, _handle_unreadable_request)


def _handle_unreadable_request(_error: Exception) -> ErrorResponse:
    return render_error(400, *ERROR_PAGES[400], {})
