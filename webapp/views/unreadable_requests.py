"""Answers a request whose body is not read: malformed chunks, which are not our mistake, or too much of it."""

from contextlib import suppress

from flask import Flask, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.views.errors import ERROR_PAGES, ErrorResponse, render_error

# Bytes. The proxies of docs/proxies.md pass on no larger body.
LARGEST_PASSED_ON = 128 * 1024


def init_unreadable_requests(app: Flask) -> None:
    """Register the handlers. gunicorn raises the first two errors while a view reads the body."""
    for kind in (ParseException, NoMoreData):
        app.register_error_handler(kind, _handle_unreadable_request)
    app.register_error_handler(RequestEntityTooLarge, _handle_large_request)


def _handle_unreadable_request(_error: Exception) -> ErrorResponse:
    return render_error(400, *ERROR_PAGES[400], {})


def _handle_large_request(_error: RequestEntityTooLarge) -> ErrorResponse:
    """Discard the body. gunicorn would close the connection, on which a proxy may be sending someone's next request."""
    if (request.content_length or 0) <= LARGEST_PASSED_ON:
        with suppress(ParseException, NoMoreData, OSError):
            request.environ["wsgi.input"].read(LARGEST_PASSED_ON)
    return render_error(413, *ERROR_PAGES[413], {})
