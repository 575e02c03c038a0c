"""The cooldown: the 60 seconds between two test sends to one destination."""

import math
from datetime import datetime, timedelta

COOLDOWN = timedelta(seconds=60)


class CoolingDown(Exception):
    """An earlier test send to this destination is younger than `COOLDOWN`."""


def find_requested_at(created_at: datetime, updated_at: datetime) -> datetime:
    """Return when a test send was requested, from its row's times.

    After a clock was set back, `created_at` keeps the order of the presses and is later than the press. `updated_at` is
    then the time of the press or of the row's latest change, so the cooldown can only be longer.
    """
    return min(created_at, updated_at)


def cooldown_end(requested_at: datetime | None, now: datetime) -> datetime | None:
    """Return when the cooldown of the newest test send ends or ended; None if there is none.

    requested_at: when the newest test send was requested, or None. A time slightly in the future (clocks of two hosts)
        counts as now. A time far in the future (a clock was set back) is ignored, so it does not block.
    """
    if requested_at is None or requested_at > now + COOLDOWN:
        return None
    return min(requested_at, now) + COOLDOWN


def seconds_left(requested_at: datetime | None, now: datetime) -> int:
    """Return the whole seconds until the next test send is accepted, 0 if it would be now. See `cooldown_end`."""
    end = cooldown_end(requested_at, now)
    return max(0, math.ceil((end - now).total_seconds())) if end else 0
