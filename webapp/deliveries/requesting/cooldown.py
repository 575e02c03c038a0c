"""The cooldown: the 60 seconds between two test sends to one destination."""

import math
from datetime import datetime, timedelta

from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.newest_deliveries import NewestTest

COOLDOWN = timedelta(seconds=60)


class CoolingDown(Exception):
    """An earlier test send to this destination is younger than `COOLDOWN`."""


def find_requested_at(newest: AnyDelivery | NewestTest | None) -> datetime | None:
    """Return when the newest test send was requested; None without one.

    After a clock was set back, `created_at` keeps the order of the presses and is later than the press. `updated_at` is
    then the time of the press or of the row's latest change, so the cooldown can only be longer.
    """
    return None if newest is None else min(newest.created_at, newest.updated_at)


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
