"""When a failed attempt is retried: both sides of every limit, for test sends and for real alerts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.deliveries.retry_policy import TEST_SEND_POLICY, RetryPolicy, find_retry_policy, plan_retry
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.models import TEST_EVENT
from webapp.settings import AppSettings

BUSY = DeliveryFailed(Code.REMOTE_UNAVAILABLE)
REAL_ALERTS = RetryPolicy(retry_delays=(seconds(60), seconds(1800)), time_limit=timedelta(days=1))


def _plan(
    failure: DeliveryFailed, attempt: int, jitter_fraction: float = 0.0, policy: RetryPolicy = TEST_SEND_POLICY
) -> datetime | None:
    return plan_retry(failure, attempt, policy, NOW, NOW, jitter_fraction)


@pytest.mark.parametrize(("attempt", "delay"), [(1, 3), (2, 15)])
def test_the_delay_grows_with_each_attempt(attempt: int, delay: int) -> None:
    assert _plan(BUSY, attempt) == NOW + seconds(delay)


@pytest.mark.parametrize(("attempt", "delay"), [(1, 3.75), (2, 18.75)])
def test_jitter_lengthens_a_delay_by_at_most_a_quarter(attempt: int, delay: float) -> None:
    assert _plan(BUSY, attempt, jitter_fraction=1.0) == NOW + seconds(delay)


def test_there_is_no_fourth_attempt() -> None:
    assert _plan(BUSY, 3) is None


@pytest.mark.parametrize("code", [code for code, meaning in MEANINGS.items() if not meaning.may_retry])
def test_a_failure_that_is_final_or_may_have_arrived_is_not_retried(code: Code) -> None:
    assert _plan(DeliveryFailed(code), 1) is None


def test_no_failure_that_may_have_arrived_may_be_retried() -> None:
    assert [code for code, meaning in MEANINGS.items() if meaning.may_retry and meaning.may_have_arrived] == []


@pytest.mark.parametrize("may_retry", [True, False])
def test_what_a_failure_knows_about_a_retry_counts_more_than_its_code(may_retry: bool) -> None:
    failure = DeliveryFailed(Code.SMTP_RELAY_DENIED if may_retry else Code.SMTP_TEMPORARY, may_retry=may_retry)
    assert (_plan(failure, 1) is not None) is may_retry


def test_the_receivers_retry_after_lengthens_the_delay() -> None:
    assert _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=30), 1) == NOW + seconds(30)


def test_the_receivers_retry_after_does_not_shorten_the_delay() -> None:
    assert _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=0), 1) == NOW + seconds(3)


@pytest.mark.parametrize(("retry_after", "is_retried"), [(110, True), (111, False)])
def test_a_retry_later_than_two_minutes_after_the_press_is_not_planned(retry_after: int, is_retried: bool) -> None:
    planned = _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=retry_after), 1)

    assert (planned is not None) is is_retried


@pytest.mark.parametrize(("attempt", "delay"), [(1, 60), (2, 1800)])
def test_a_real_alert_is_retried_after_the_configured_delays(attempt: int, delay: int) -> None:
    assert _plan(BUSY, attempt, policy=REAL_ALERTS) == NOW + seconds(delay)


def test_a_real_alert_is_not_retried_after_the_last_configured_delay() -> None:
    assert _plan(BUSY, 3, policy=REAL_ALERTS) is None


def test_real_alerts_have_no_retry_policy_if_another_program_sends_them(app_settings: AppSettings) -> None:
    assert find_retry_policy("heartbeat.missing", app_settings) is None


def test_real_alerts_have_the_configured_retry_policy_if_alertcheck_sends_them(app_settings: AppSettings) -> None:
    app_settings = replace(app_settings, real_alert_retry_delays=REAL_ALERTS.retry_delays)

    assert find_retry_policy("heartbeat.missing", app_settings) == REAL_ALERTS
    assert find_retry_policy(TEST_EVENT, app_settings) == TEST_SEND_POLICY
