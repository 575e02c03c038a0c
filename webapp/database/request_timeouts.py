"""Limits how long a web request waits for the database. Commands, migrations and workers have no limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import g, has_request_context

# Seconds. A visitor reads the reason within 3 s: PostgreSQL gives up first, and says what it waited for. A server that
# is frozen says nothing, so the client gives up on its own.
LOCK_TIMEOUT = 1.5
STATEMENT_TIMEOUT = 1.8
CALL_LIMIT = 2.0


@dataclass
class RequestWait:
    """What one request may still wait. limit: seconds for each call; 0 after a call that never returned."""

    limit: float = CALL_LIMIT


def find_limit() -> float | None:
    """Return the seconds that the next call to the database may take; None outside web requests."""
    return _current().limit if has_request_context() else None


def stop_waiting() -> None:
    """Let the current request wait no longer: the database has not responded."""
    _current().limit = 0.0


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Lower the limit of the current request inside a `with`, for a page that can do without the database."""
    wait = _current()
    limit = wait.limit
    wait.limit = min(limit, seconds)
    try:
        yield
    finally:
        wait.limit = limit if wait.limit else 0.0  # once the database has not responded, it stays so


def _current() -> RequestWait:
    wait: RequestWait | None = g.get("database_wait")
    if wait is None:
        wait = g.database_wait = RequestWait()
    return wait
