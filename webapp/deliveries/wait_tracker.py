"""How long rows have waited, by a clock that nobody can set."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webapp.models import AlertDelivery


@dataclass(frozen=True)
class _Sighting:
    """looks: what the row looked like. first, since: when it was first seen at all, and first seen like that, in s."""

    looks: tuple[Any, ...]
    first: float
    since: float


class Sightings:
    """What one process has seen waiting, pass by pass, and since when.

    The wall clock that rows are dated with may be set by an hour while a message is in the air; this one goes on
    evenly. It knows nothing of the time before the process began to look.
    steady: returns seconds; the default is the monotonic clock.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._seen: dict[int, _Sighting] = {}

    def note(self, rows: Sequence[AlertDelivery]) -> None:
        """Note what stands there now, and forget what no longer waits."""
        now = self._steady()
        self._seen = {row.id: _see(self._seen.get(row.id), row, now) for row in rows}

    def known(self, row: AlertDelivery) -> timedelta:
        """How long ago the row was first seen waiting."""
        return timedelta(seconds=self._steady() - self._seen[row.id].first)

    def unchanged(self, row: AlertDelivery) -> timedelta:
        """For how long the row has been seen just as it is."""
        return timedelta(seconds=self._steady() - self._seen[row.id].since)


def _see(before: _Sighting | None, row: AlertDelivery, now: float) -> _Sighting:
    looks = (row.status, row.attempt_started_at, row.attempt_count, row.updated_at)
    if before is None:
        return _Sighting(looks, now, now)
    return _Sighting(looks, before.first, before.since if before.looks == looks else now)
