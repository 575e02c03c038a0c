"""Shows the supervisor that a process takes jobs and reaches the database, and not merely that it exists."""

import math
import time
from multiprocessing import get_context

# Seconds without progress after which a process no longer counts as taking jobs.
STALLED_AFTER = 4.0


class Progress:
    """When something last went on in a process, by the monotonic clock. A process shares it with those it forks."""

    def __init__(self) -> None:
        self._latest = get_context("fork").RawValue("d", -math.inf)

    def note(self) -> None:
        """Note that something goes on now."""
        self._latest.value = time.monotonic()

    def is_recent(self) -> bool:
        """Return whether something went on within the last `STALLED_AFTER` seconds."""
        return time.monotonic() - float(self._latest.value) <= STALLED_AFTER
