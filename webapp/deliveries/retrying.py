"""When a failed attempt is made again."""

from datetime import datetime, timedelta

from webapp.deliveries.life import PATIENCE
from webapp.failures import EXPLANATIONS, DeliveryFailed

WAITS = (timedelta(seconds=3), timedelta(seconds=15))
"""How long after the first and second failed attempt the next one is made: three attempts in all."""

PICK_UP = timedelta(seconds=10)
"""Kept free at the end of `PATIENCE`, so that a planned attempt is also made."""


def plan_retry(failure: DeliveryFailed, attempt: int, requested_at: datetime, now: datetime) -> datetime | None:
    """Say when to try again, or None: only after a failure that delivered nothing, thrice at most, within `PATIENCE`.

    attempt: the number of the attempt that failed, from 1. The far end's `Retry-After` lengthens the wait, but never
        beyond the bound.
    """
    if not EXPLANATIONS[failure.code].may_retry or attempt > len(WAITS):
        return None
    wait = max(WAITS[attempt - 1], timedelta(seconds=failure.retry_after or 0))
    retry_at = now + wait
    pressed_at = min(requested_at, now)  # the clock may have been set back since
    return retry_at if retry_at <= pressed_at + PATIENCE - PICK_UP else None
