"""Watches the queue server for a worker, and logs why it cannot be used: once, and again every minute."""

import logging
import math
import time

from webapp import queue

log = logging.getLogger(__name__)

# Seconds after which the same outage is logged again.
REMINDER_INTERVAL = 60.0


class QueueWatch:
    """What the last look at the queue server found."""

    def __init__(self) -> None:
        self._outage: queue.QueueOutage | None = None
        self._logged_at = -math.inf

    def is_usable(self) -> bool:
        """Look at the queue server, and log a change. Needs an application context."""
        outage = queue.find_outage()
        is_due = time.monotonic() - self._logged_at >= REMINDER_INTERVAL
        if outage and (outage is not self._outage or is_due):
            log.error("queue server unavailable, the worker waits for it", extra={"reason": outage.sentence})
            self._logged_at = time.monotonic()
        elif self._outage and not outage:
            log.info("queue server available again")
        self._outage = outage
        return outage is None
