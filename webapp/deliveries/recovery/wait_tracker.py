"""Measures how long rows have waited, by a monotonic clock that nobody can set."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from webapp.app_state import Waited


@dataclass(frozen=True)
class _Observation:
    """state: the columns that a change of the row changes. first_seen_at, unchanged_since: seconds of the clock."""

    state: Hashable
    first_seen_at: float
    unchanged_since: float


class WaitTracker:
    """Remembers since when one process has seen each waiting row. Threads may share it.

    The database's clock, which dates the rows, may be set by an hour while a message is being sent; the monotonic clock
    cannot. The tracker does not know the time before the process first saw a row.
    clock: returns seconds; the default is the monotonic clock.
    capacity: how many rows it remembers. Beyond it, the row not seen for longest is forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, capacity: float = math.inf) -> None:
        self._clock = clock
        self._capacity = capacity
        self._lock = Lock()
        self._observations: OrderedDict[Hashable, _Observation] = OrderedDict()

    def observe(self, row: Hashable, state: Hashable) -> Waited:
        """Record that a row, by its identity, waits now, in this state, and return for how long it has."""
        now = self.now()
        with self._lock:
            observation = _observe(self._observations.pop(row, None), state, now)
            self._observations[row] = observation
            if len(self._observations) > self._capacity:
                self._observations.popitem(last=False)
        return Waited(
            since_first_seen=timedelta(seconds=now - observation.first_seen_at),
            unchanged=timedelta(seconds=now - observation.unchanged_since),
        )

    def now(self) -> float:
        """Return the seconds of its clock."""
        return self._clock()

    def forget_others(self, rows: Collection[Hashable]) -> None:
        """Forget all rows but these: they no longer wait."""
        with self._lock:
            for row in self._observations.keys() - rows:
                del self._observations[row]


def _observe(before: _Observation | None, state: Hashable, now: float) -> _Observation:
    if before is None:
        return _Observation(state, now, now)
    return _Observation(state, before.first_seen_at, before.unchanged_since if before.state == state else now)
