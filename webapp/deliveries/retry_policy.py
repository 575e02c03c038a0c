"""How long a delivery may take, and when a failed attempt is retried."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.failures import DeliveryFailed
from webapp.models import TEST_EVENT
from webapp.settings import AppSettings

# The largest random extension of a retry delay, as a fraction, so that deliveries that fail together do not retry
# together.
JITTER = 0.25


@dataclass(frozen=True)
class RetryPolicy:
    """When attempts are made.

    retry_delays: the delay after each failed attempt. time_limit: how long after the press the delivery expires.
    margin: no retry is planned this close to the time limit, so that every planned attempt can still run.
    """

    retry_delays: tuple[timedelta, ...]
    time_limit: timedelta
    margin: timedelta = timedelta(seconds=10)

    @property
    def attempts(self) -> int:
        """Return the maximum number of attempts."""
        return len(self.retry_delays) + 1


# Short, because a person waits for the result.
TEST_SEND_POLICY = RetryPolicy(
    retry_delays=(timedelta(seconds=3), timedelta(seconds=15)), time_limit=timedelta(minutes=2)
)

# An older alert is of no use to anyone.
REAL_ALERT_TIME_LIMIT = timedelta(days=1)


def find_retry_policy(event_type: str, app_settings: AppSettings) -> RetryPolicy | None:
    """Find the retry policy of an event type. Returns None for real alerts if another program sends them."""
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
    """Return the time of the next attempt, or None for no retry.

    Only a failure that delivered nothing is retried, while attempts and time remain. The receiver's `Retry-After` may
    lengthen the delay, but not beyond the time limit.
    attempt: the number of the failed attempt, counted from 1. jitter_fraction: the part of `JITTER` to add, 0 to 1.
    """
    if not failure.may_retry or attempt >= policy.attempts:
        return None
    delay = max(
        policy.retry_delays[attempt - 1] * (1 + JITTER * jitter_fraction), timedelta(seconds=failure.retry_after or 0)
    )
    retry_at = now + delay
    pressed_at = min(requested_at, now)  # the clock may have been set back since the press
    return retry_at if retry_at <= pressed_at + policy.time_limit - policy.margin else None
