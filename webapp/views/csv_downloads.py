"""Streams CSV files to a few browsers at once: one that stops reading holds a thread for as long as it likes."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Lock

from flask import Response, make_response, stream_with_context

from webapp.app_state import app_state
from webapp.auth.access import Visit, has_role
from webapp.auth.instance_admins import has_instance_rights
from webapp.auth.sessions import current_account
from webapp.extensions import db
from webapp.views.errors import render_error

# Downloads of one process that run at once: of everybody, and of one account. gunicorn has 8 threads.
MAX_DOWNLOADS = 4
MAX_OF_ACCOUNT = 2

# The last line of a file whose reader has lost the access to the workspace meanwhile.
INCOMPLETE = "This file is incomplete: your access ended or was reduced while it was downloading.\r\n"

log = logging.getLogger(__name__)

# Held by the thread that counts.
_counting = Lock()


def stream_workspace_csv(lines: Iterator[str], file_name: str, visit: Visit) -> Response:
    """Return a response that streams the lines as a file, or 429 if too many downloads are running.

    It ends early if the member can no longer do what they could when it began.
    """
    workspace_id, account_id, role = visit.workspace.id, visit.account.id, visit.role
    return _stream(lines, file_name, lambda: has_role(workspace_id, account_id, role))


def stream_instance_csv(lines: Iterator[str], file_name: str) -> Response:
    """Return a response as for a workspace. It ends early if the account no longer administers the installation."""
    sign_in_id = current_account().sign_in_id
    return _stream(lines, file_name, lambda: has_instance_rights(sign_in_id))


def _stream(lines: Iterator[str], file_name: str, has_access: Callable[[], bool]) -> Response:
    running, account_id = app_state().csv_downloads, current_account().id
    if not _begin(running, account_id):
        advice = "Wait until the downloads that are running are complete, then try again."
        return make_response(render_error(429, "Too many downloads at once", advice, {"Retry-After": "10"}))
    log.info("export started", extra={"file": file_name, "account": account_id})
    lines = _read_with_access(lines, has_access)
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    place = ExitStack()
    place.callback(_end, running, account_id)
    response = Response(
        stream_with_context(_release_at_end(lines, place)), headers=headers, content_type="text/csv; charset=utf-8"
    )
    response.call_on_close(place.close)  # also if nobody has read the first line
    return response


def _read_with_access(lines: Iterator[str], has_access: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines while the visitor has access, and then a last one that says that the file is incomplete.

    Checked after they are read: a deleted workspace is closed first, and emptied then.
    """
    for text in lines:
        is_permitted = has_access()
        db.session.rollback()  # a slow browser reads for long
        if not is_permitted:
            yield INCOMPLETE
            return
        yield text


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
