"""Measures how long rows have waited, by a monotonic clock that nobody can set."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webapp.models import AlertDelivery


@dataclass(frozen=True)
class _Observation:
    """state: the columns that a change of the row changes. first_seen_at, unchanged_since: seconds of the clock."""

    state: tuple[Any, ...]
    first_seen_at: float
    unchanged_since: float


class WaitTracker:
    """Remembers since when one process has seen each waiting row, from pass to pass.

    The wall clock, which dates the rows, may be set by an hour while a message is being sent; the monotonic clock
    cannot. The tracker does not know the time before the process first saw a row.
    clock: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._observations: dict[int, _Observation] = {}

    def observe(self, rows: Sequence[AlertDelivery]) -> None:
        """Record the rows that wait now, and forget all others."""
        now = self._clock()
        self._observations = {row.id: _observe_row(self._observations.get(row.id), row, now) for row in rows}

    def time_since_first_seen(self, row: AlertDelivery) -> timedelta:
        """Return the time since the row was first seen waiting."""
        return timedelta(seconds=self._clock() - self._observations[row.id].first_seen_at)

    def time_unchanged(self, row: AlertDelivery) -> timedelta:
        """Return the time since the row was first seen in its present state."""
        return timedelta(seconds=self._clock() - self._observations[row.id].unchanged_since)


def _observe_row(before: _Observation | None, row: AlertDelivery, now: float) -> _Observation:
    state = (row.status, row.attempt_started_at, row.attempt_count, row.updated_at)
    if before is None:
        return _Observation(state, now, now)
    return _Observation(state, before.first_seen_at, before.unchanged_since if before.state == state else now)
