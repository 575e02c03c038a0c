"""Responds to a request whose body cannot be read: its chunks are malformed, or it is too large."""

from contextlib import suppress
from typing import IO

from flask import Flask, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.views.errors import ERROR_PAGES, ErrorResponse, render_error
from webapp.views.request_sizes import find_largest_passed_on, is_import

# Bytes that are read at once.
PIECE = 64 * 1024

FILE_TOO_LARGE = (
    "The file is too large",
    "Alertcheck imports files of up to 1 MiB. Remove what is not about receivers, or split the file, then import each "
    "part. Nothing was added.",
)


def init_unreadable_requests(app: Flask) -> None:
    """Register the handlers. gunicorn raises the first two errors while a view reads the body."""
    for kind in (ParseException, NoMoreData):
        app.register_error_handler(kind, _handle_unreadable_request)
    app.register_error_handler(RequestEntityTooLarge, _handle_large_request)


def _handle_unreadable_request(_error: Exception) -> ErrorResponse:
    return render_error(400, *ERROR_PAGES[400], {})


def _handle_large_request(_error: RequestEntityTooLarge) -> ErrorResponse:
    """Discard the body. gunicorn would close the connection, on which a proxy may be sending someone's next request."""
    most = find_largest_passed_on()
    if (request.content_length or 0) <= most:
        with suppress(ParseException, NoMoreData, OSError):
            _discard(request.environ["wsgi.input"], most)
    return render_error(413, *(FILE_TOO_LARGE if is_import() else ERROR_PAGES[413]), {})


def _discard(body: IO[bytes], most: int) -> None:
    """Read up to so many bytes, and keep none."""
    while most > 0 and (piece := body.read(min(most, PIECE))):
        most -= len(piece)
