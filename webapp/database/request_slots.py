"""Bounds how many web requests of a process use the database at once, so that one thread stays free for other pages."""

import time
from threading import Condition

from sqlalchemy.exc import TimeoutError as DatabaseTimeout

# One less than gunicorn's threads (webapp/web_server/gunicorn.py).
MAX_REQUESTS = 7

# Seconds that one more request waits for its turn, counted from the last time anything moved. Much longer than a page
# takes while others compete for the processor, and shorter than a visitor waits for a database that does not respond.
TURN_WAIT = 1.0


class TooManyRequests(DatabaseTimeout):
    """All requests that may use the database do so, and none of them has ended in time."""


class RequestSlots:
    """The slots of one process. If no slot was taken or returned for `TURN_WAIT`, the database is not responding."""

    def __init__(self, count: int = MAX_REQUESTS) -> None:
        self._free = count
        self._changed = Condition()
        self._changed_at = time.monotonic()

    def take(self) -> None:
        """Take a slot. Raises `TooManyRequests`, at once if the database is not responding."""
        with self._changed:
            wait = max(0.0, self._changed_at + TURN_WAIT - time.monotonic())
            if not self._changed.wait_for(lambda: self._free > 0, wait):
                raise TooManyRequests("every request that may use the database waits for it")
            self._free -= 1
            self._changed_at = time.monotonic()

    def give_back(self) -> None:
        """Return a slot."""
        with self._changed:
            self._free += 1
            self._changed_at = time.monotonic()
            self._changed.notify()
