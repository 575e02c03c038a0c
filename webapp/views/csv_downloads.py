"""Streams CSV files to a few browsers at once: one that stops reading holds a thread for as long as it likes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock

from flask import Response, make_response, stream_with_context

from webapp.app_state import app_state
from webapp.auth.sessions import current_account
from webapp.views.errors import render_error

# Downloads of one process that run at once: of everybody, and of one account. gunicorn has 8 threads.
MAX_DOWNLOADS = 4
MAX_OF_ACCOUNT = 2

# Held by the thread that counts.
_counting = Lock()


def stream_csv(lines: Iterator[str], file_name: str) -> Response:
    """Return a response that streams the lines as a file, or 429 if too many downloads are running."""
    running, account_id = app_state().csv_downloads, current_account().id
    if not _begin(running, account_id):
        advice = "Wait until the downloads that are running are complete, then try again."
        return make_response(render_error(429, "Too many downloads at once", advice, {"Retry-After": "10"}))
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    place = ExitStack()
    place.callback(_end, running, account_id)
    response = Response(
        stream_with_context(_release_at_end(lines, place)), headers=headers, content_type="text/csv; charset=utf-8"
    )
    response.call_on_close(place.close)  # also if nobody has read the first line
    return response


def _begin(running: Counter[int], account_id: int) -> bool:
    """Count one more, unless there are too many. Returns whether it may begin."""
    with _counting:
        if running.total() >= MAX_DOWNLOADS or running[account_id] >= MAX_OF_ACCOUNT:
            return False
        running[account_id] += 1
        return True


def _end(running: Counter[int], account_id: int) -> None:
    with _counting:
        running[account_id] -= 1
        if not running[account_id]:
            del running[account_id]


def _release_at_end(lines: Iterator[str], place: ExitStack) -> Iterator[str]:
    with place:
        yield from lines
