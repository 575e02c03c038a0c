"""How long a delivery may take, and when a failed attempt is made again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.failures import EXPLANATIONS, DeliveryFailed
from webapp.models import TEST_EVENT
from webapp.settings import AppSettings

JITTER = 0.25
"""By how much a wait is lengthened at most, so that what failed together is not tried again together."""


@dataclass(frozen=True)
class RetryPolicy:
    """When attempts are made.

    retry_delays: how long after each failed attempt the next one is made.
    time_limit: when all is over, counted from the press.
    margin: kept free at the end of the patience, so that a planned attempt is also made.
    """

    retry_delays: tuple[timedelta, ...]
    time_limit: timedelta
    margin: timedelta = timedelta(seconds=10)

    @property
    def attempts(self) -> int:
        """How many attempts there are at most."""
        return len(self.retry_delays) + 1


TEST_SEND_POLICY = RetryPolicy(
    retry_delays=(timedelta(seconds=3), timedelta(seconds=15)), time_limit=timedelta(minutes=2)
)
"""A person is waiting for the answer."""

REAL_ALERT_TIME_LIMIT = timedelta(days=1)
"""An alert that is older than this helps nobody."""


def find_retry_policy(event_type: str, app_settings: AppSettings) -> RetryPolicy | None:
    """Find the schedule of a kind of delivery. None: real alerts, where another program sends them."""
    if event_type == TEST_EVENT:
        return TEST_SEND_POLICY
    return (
        RetryPolicy(app_settings.real_alert_retry_delays, REAL_ALERT_TIME_LIMIT)
        if app_settings.real_alert_retry_delays
        else None
    )


def plan_retry(
    failure: DeliveryFailed,
    attempt: int,
    policy: RetryPolicy,
    requested_at: datetime,
    now: datetime,
    jitter_fraction: float,
) -> datetime | None:
    """Say when to try again, or None: only after a failure that delivered nothing, with attempts and patience left.

    attempt: the number of the attempt that failed, from 1.
    jitter_fraction: from 0 to 1, how much of the jitter is added.
    The far end's `Retry-After` lengthens the wait, but never beyond the patience.
    """
    if not EXPLANATIONS[failure.code].may_retry or attempt >= policy.attempts:
        return None
    wait = max(
        policy.retry_delays[attempt - 1] * (1 + JITTER * jitter_fraction), timedelta(seconds=failure.retry_after or 0)
    )
    retry_at = now + wait
    pressed_at = min(requested_at, now)  # the clock may have been set back since
    return retry_at if retry_at <= pressed_at + policy.time_limit - policy.margin else None
