"""How long rows have waited, by a clock that nobody can set."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webapp.models import AlertDelivery


@dataclass(frozen=True)
class _Observation:
    """looks: what the row looked like. first, since: when it was first seen at all, and first seen like that, in s."""

    state: tuple[Any, ...]
    first: float
    since: float


class WaitTracker:
    """What one process has seen waiting, pass by pass, and since when.

    The wall clock that rows are dated with may be set by an hour while a message is in the air; this one goes on
    evenly. It knows nothing of the time before the process began to look.
    clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, _Observation] = {}

    def observe(self, rows: Sequence[AlertDelivery]) -> None:
        """Note what stands there now, and forget what no longer waits."""
        now = self._clock()
        self._seen = {row.id: _observe_row(self._seen.get(row.id), row, now) for row in rows}

    def time_since_first_seen(self, row: AlertDelivery) -> timedelta:
        """How long ago the row was first seen waiting."""
        return timedelta(seconds=self._clock() - self._seen[row.id].first)

    def time_unchanged(self, row: AlertDelivery) -> timedelta:
        """For how long the row has been seen just as it is."""
        return timedelta(seconds=self._clock() - self._seen[row.id].since)


def _observe_row(before: _Observation | None, row: AlertDelivery, now: float) -> _Observation:
    state = (row.status, row.attempt_started_at, row.attempt_count, row.updated_at)
    if before is None:
        return _Observation(state, now, now)
    return _Observation(state, before.first, before.since if before.state == state else now)
