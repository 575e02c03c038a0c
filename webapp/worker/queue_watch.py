"""Watches the queue server for a worker, and logs why it cannot be used: once, and again every minute."""

import logging
import math
import time

from webapp import queue

log = logging.getLogger(__name__)

# Seconds after which the same problem is logged again.
REMINDER_INTERVAL = 60.0


class QueueWatch:
    """What the last look at the queue server found."""

    def __init__(self) -> None:
        self._problem: queue.QueueProblem | None = None
        self._logged_at = -math.inf

    def is_usable(self) -> bool:
        """Look at the queue server, and log a change. Needs an application context."""
        problem = queue.find_problem()
        is_due = time.monotonic() - self._logged_at >= REMINDER_INTERVAL
        if problem and (problem is not self._problem or is_due):
            log.error("queue server unavailable, the worker waits for it", extra={"reason": problem.sentence})
            self._logged_at = time.monotonic()
        elif self._problem and not problem:
            log.info("queue server available again")
        self._problem = problem
        return problem is None
