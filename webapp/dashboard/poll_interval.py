"""How often a Pending fragment asks again: often while its answer is near, and never so often that others wait."""

import heapq
import threading
import time
from datetime import timedelta

INTERVALS = (0.05, 0.25, 1.0, 2.0, 5.0, 10.0)
"""Seconds from an answer to the next question. A healthy webhook has answered before a person has looked up."""

AGE_STEPS = (
    timedelta(milliseconds=500),
    timedelta(seconds=3),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
PENDING_STEPS = (2, 3, 8, 20, 50)
"""Up to which age of the test, and up to how many Pending ones in the workspace, each pace but the last is kept. After
the first half second, the badges of one list ask about ten times a second together, however many they are."""

POLLS_PER_SECOND = 50.0
"""Polls a second that one process invites: about a fifth of those that it could answer."""


class PollBudget:
    """The polls that a process has invited and that are still to come, if their pages stay open.

    budget: how many a second they may be. If pages wish for more, all are slowed down alike, so that the newest tests
    stay the fastest; but none beyond the slowest pace, since somebody might ask and ask without waiting.
    """

    def __init__(self, budget: float = POLLS_PER_SECOND) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._scheduled: list[tuple[float, float]] = []  # when it is due, and how many a second its page wished for
        self._requested_rate = 0.0

    def next_interval(self, requested: float) -> float:
        """Return after how many seconds a page may ask again that wishes to do so after this many."""
        with self._lock:
            now = time.monotonic()
            while self._scheduled and self._scheduled[0][0] <= now:
                self._requested_rate -= heapq.heappop(self._scheduled)[1]
            self._requested_rate += 1 / requested
            interval = min(requested * max(1.0, self._requested_rate / self._budget), INTERVALS[-1])
            heapq.heappush(self._scheduled, (now + interval, 1 / requested))
            return interval


def choose_interval(age: timedelta, pending: int) -> float:
    """Choose after how many seconds the fragment of a test asks again, if the process has the time.

    age: since the test last moved. pending: test sends of its workspace that wait.
    """
    by_age = sum(age >= limit for limit in AGE_STEPS)
    by_crowd = sum(pending > limit for limit in PENDING_STEPS)
    return INTERVALS[max(by_age, by_crowd)]
