"""When a failed attempt is made again: both sides of every bound, for test sends and for real alerts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.deliveries.retry_policy import TEST_SEND_POLICY, RetryPolicy, find_retry_policy, plan_retry
from webapp.failures import EXPLANATIONS, Code, DeliveryFailed
from webapp.models import TEST_EVENT
from webapp.settings import AppSettings

BUSY = DeliveryFailed(Code.REMOTE_UNAVAILABLE)
REAL_ALERTS = RetryPolicy(retry_delays=(seconds(60), seconds(1800)), time_limit=timedelta(days=1))


def _plan(
    failure: DeliveryFailed, attempt: int, jitter_fraction: float = 0.0, policy: RetryPolicy = TEST_SEND_POLICY
) -> datetime | None:
    return plan_retry(failure, attempt, policy, NOW, NOW, jitter_fraction)


@pytest.mark.parametrize(("attempt", "wait"), [(1, 3), (2, 15)])
def test_each_attempt_waits_longer_for_the_next(attempt: int, wait: int) -> None:
    assert _plan(BUSY, attempt) == NOW + seconds(wait)


@pytest.mark.parametrize(("attempt", "wait"), [(1, 3.75), (2, 18.75)])
def test_chance_lengthens_a_wait_by_a_quarter_at_most(attempt: int, wait: float) -> None:
    assert _plan(BUSY, attempt, jitter_fraction=1.0) == NOW + seconds(wait)


def test_there_is_no_fourth_attempt() -> None:
    assert _plan(BUSY, 3) is None


@pytest.mark.parametrize("code", [code for code, explanation in EXPLANATIONS.items() if not explanation.may_retry])
def test_a_failure_that_is_final_or_may_have_arrived_is_not_tried_again(code: Code) -> None:
    assert _plan(DeliveryFailed(code), 1) is None


def test_nothing_that_may_have_arrived_may_be_retried() -> None:
    assert [code for code, told in EXPLANATIONS.items() if told.may_retry and told.may_have_arrived] == []


def test_the_far_ends_retry_after_lengthens_the_wait() -> None:
    assert _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=30), 1) == NOW + seconds(30)


def test_the_far_ends_retry_after_does_not_shorten_the_wait() -> None:
    assert _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=0), 1) == NOW + seconds(3)


@pytest.mark.parametrize(("retry_after", "is_retried"), [(110, True), (111, False)])
def test_a_wait_beyond_two_minutes_after_the_press_is_not_begun(retry_after: int, is_retried: bool) -> None:
    planned = _plan(DeliveryFailed(Code.RATE_LIMITED, retry_after=retry_after), 1)

    assert (planned is not None) is is_retried


@pytest.mark.parametrize(("attempt", "wait"), [(1, 60), (2, 1800)])
def test_a_real_alert_waits_as_the_operator_says(attempt: int, wait: int) -> None:
    assert _plan(BUSY, attempt, policy=REAL_ALERTS) == NOW + seconds(wait)


def test_a_real_alert_is_given_up_on_after_the_operators_last_wait() -> None:
    assert _plan(BUSY, 3, policy=REAL_ALERTS) is None


def test_real_alerts_have_no_schedule_where_another_program_sends_them(app_settings: AppSettings) -> None:
    assert find_retry_policy("heartbeat.missing", app_settings) is None


def test_real_alerts_have_the_operators_schedule_where_they_are_sent_here(app_settings: AppSettings) -> None:
    app_settings = replace(app_settings, real_alert_retry_delays=REAL_ALERTS.retry_delays)

    assert find_retry_policy("heartbeat.missing", app_settings) == REAL_ALERTS
    assert find_retry_policy(TEST_EVENT, app_settings) == TEST_SEND_POLICY
