"""How long a delivery may take, and when a failed attempt is made again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.failures import EXPLANATIONS, DeliveryFailed
from webapp.models import TEST_EVENT
from webapp.settings import Config

JITTER = 0.25
"""By how much a wait is lengthened at most, so that what failed together is not tried again together."""


@dataclass(frozen=True)
class Schedule:
    """When attempts are made.

    waits: how long after each failed attempt the next one is made. patience: when all is over, counted from the press.
    pick_up: kept free at the end of the patience, so that a planned attempt is also made.
    """

    waits: tuple[timedelta, ...]
    patience: timedelta
    pick_up: timedelta = timedelta(seconds=10)

    @property
    def attempts(self) -> int:
        """How many attempts there are at most."""
        return len(self.waits) + 1


TEST_SENDS = Schedule(waits=(timedelta(seconds=3), timedelta(seconds=15)), patience=timedelta(minutes=2))
"""A person is waiting for the answer."""

REAL_ALERTS_PATIENCE = timedelta(days=1)
"""An alert that is older than this helps nobody."""


def find_schedule(event_type: str, config: Config) -> Schedule | None:
    """Find the schedule of a kind of delivery. None: real alerts, where another program sends them."""
    if event_type == TEST_EVENT:
        return TEST_SENDS
    return Schedule(config.real_alert_waits, REAL_ALERTS_PATIENCE) if config.real_alert_waits else None


def plan_retry(
    failure: DeliveryFailed, attempt: int, schedule: Schedule, requested_at: datetime, now: datetime, chance: float
) -> datetime | None:
    """Say when to try again, or None: only after a failure that delivered nothing, with attempts and patience left.

    attempt: the number of the attempt that failed, from 1. chance: from 0 to 1, how much of the jitter is added.
    The far end's `Retry-After` lengthens the wait, but never beyond the patience.
    """
    if not EXPLANATIONS[failure.code].may_retry or attempt >= schedule.attempts:
        return None
    wait = max(schedule.waits[attempt - 1] * (1 + JITTER * chance), timedelta(seconds=failure.retry_after or 0))
    retry_at = now + wait
    pressed_at = min(requested_at, now)  # the clock may have been set back since
    return retry_at if retry_at <= pressed_at + schedule.patience - schedule.pick_up else None
