"""How often a Pending fragment asks again: often while its answer is near, and never so often that others wait."""

import heapq
import threading
import time
from datetime import timedelta

PACES = (0.05, 0.25, 1.0, 2.0, 5.0, 10.0)
"""Seconds from an answer to the next question. A healthy webhook has answered before a person has looked up."""

AGES = (
    timedelta(milliseconds=500),
    timedelta(seconds=3),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
CROWDS = (2, 3, 8, 20, 50)
"""Up to which age of the test, and up to how many Pending ones in the workspace, each pace but the last is kept. After
the first half second, the badges of one list ask about ten times a second together, however many they are."""

BUDGET = 50.0
"""Polls a second that one process invites: about a fifth of those that it could answer."""


class Polls:
    """The polls that a process has invited and that are still to come, if their pages stay open.

    budget: how many a second they may be. If pages wish for more, all are slowed down alike, so that the newest tests
    stay the fastest; but none beyond the slowest pace, since somebody might ask and ask without waiting.
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._invited: list[tuple[float, float]] = []  # when it is due, and how many a second its page wished for
        self._wished = 0.0

    def invite(self, wished: float) -> float:
        """Return after how many seconds a page may ask again that wishes to do so after this many."""
        with self._lock:
            now = time.monotonic()
            while self._invited and self._invited[0][0] <= now:
                self._wished -= heapq.heappop(self._invited)[1]
            self._wished += 1 / wished
            pace = min(wished * max(1.0, self._wished / self._budget), PACES[-1])
            heapq.heappush(self._invited, (now + pace, 1 / wished))
            return pace


def choose_pace(age: timedelta, pending: int) -> float:
    """Choose after how many seconds the fragment of a test asks again, if the process has the time.

    age: since the test last moved. pending: test sends of its workspace that wait.
    """
    by_age = sum(age >= limit for limit in AGES)
    by_crowd = sum(pending > limit for limit in CROWDS)
    return PACES[max(by_age, by_crowd)]
