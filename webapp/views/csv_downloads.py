"""Streams CSV files to a few browsers at once: one that stops reading holds a thread for as long as it likes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock

from flask import Response, current_app, make_response, stream_with_context

from webapp.auth.sessions import current_account
from webapp.views.errors import render_error

# Downloads of one process that run at once: of everybody, and of one account. gunicorn has 8 threads.
MAX_DOWNLOADS = 4
MAX_OF_ACCOUNT = 2

RUNNING = "csv downloads"


class RunningDownloads:
    """The downloads of one process that nobody has read to the end, by account."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: Counter[int] = Counter()

    def begin(self, account_id: int) -> bool:
        """Count one more, unless there are too many. Returns whether it may begin."""
        with self._lock:
            if self._running.total() >= MAX_DOWNLOADS or self._running[account_id] >= MAX_OF_ACCOUNT:
                return False
            self._running[account_id] += 1
            return True

    def end(self, account_id: int) -> None:
        """Count one less."""
        with self._lock:
            self._running[account_id] -= 1
            self._running += Counter()  # forgets who has none


def stream_csv(lines: Iterator[str], file_name: str) -> Response:
    """Return a response that streams the lines as a file, or 429 if too many downloads are running."""
    running: RunningDownloads = current_app.extensions.setdefault(RUNNING, RunningDownloads())
    account_id = current_account().id
    if not running.begin(account_id):
        advice = "Wait until the downloads that are running are complete, then try again."
        return make_response(render_error(429, "Too many downloads at once", advice, {"Retry-After": "10"}))
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    place = ExitStack()
    place.callback(running.end, account_id)
    response = Response(
        stream_with_context(_release_at_end(lines, place)), headers=headers, content_type="text/csv; charset=utf-8"
    )
    response.call_on_close(place.close)  # also if nobody has read the first line
    return response


def _release_at_end(lines: Iterator[str], place: ExitStack) -> Iterator[str]:
    with place:
        yield from lines
