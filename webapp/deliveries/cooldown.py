"""The cooldown: the 60 seconds between two test sends to one destination."""

import math
from datetime import datetime, timedelta

COOLDOWN = timedelta(seconds=60)


class CoolingDown(Exception):
    """An earlier test send to this destination is younger than `COOLDOWN`."""


def seconds_left(requested_at: datetime | None, now: datetime) -> int:
    """Return the whole seconds until the next test send is accepted, 0 if it would be now.

    requested_at: when the newest test send was requested, or None. A time slightly in the future (clocks of two hosts)
        counts as now. A time far in the future (a clock was set back) is ignored, so it does not block.
    """
    if requested_at is None or requested_at > now + COOLDOWN:
        return 0
    left = COOLDOWN - max(now - requested_at, timedelta(0))
    return max(0, math.ceil(left.total_seconds()))
