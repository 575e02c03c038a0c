"""When a failed attempt is made again: both sides of every bound."""

import pytest

from tests.cast import NOW, seconds
from webapp.deliveries.retrying import plan_retry
from webapp.failures import EXPLANATIONS, Code, DeliveryFailed

BUSY = DeliveryFailed(Code.REMOTE_UNAVAILABLE)


@pytest.mark.parametrize(("attempt", "wait"), [(1, 3), (2, 15)])
def test_each_attempt_waits_longer_for_the_next(attempt: int, wait: int) -> None:
    assert plan_retry(BUSY, attempt, NOW, NOW) == NOW + seconds(wait)


def test_there_is_no_fourth_attempt() -> None:
    assert plan_retry(BUSY, 3, NOW, NOW) is None


@pytest.mark.parametrize("code", [code for code, explanation in EXPLANATIONS.items() if not explanation.may_retry])
def test_a_failure_that_is_final_or_may_have_arrived_is_not_tried_again(code: Code) -> None:
    assert plan_retry(DeliveryFailed(code), 1, NOW, NOW) is None


def test_nothing_that_may_have_arrived_may_be_retried() -> None:
    assert [code for code, told in EXPLANATIONS.items() if told.may_retry and told.may_have_arrived] == []


def test_the_far_ends_retry_after_lengthens_the_wait() -> None:
    assert plan_retry(DeliveryFailed(Code.RATE_LIMITED, retry_after=30), 1, NOW, NOW) == NOW + seconds(30)


def test_the_far_ends_retry_after_does_not_shorten_the_wait() -> None:
    assert plan_retry(DeliveryFailed(Code.RATE_LIMITED, retry_after=0), 1, NOW, NOW) == NOW + seconds(3)


@pytest.mark.parametrize(("retry_after", "is_retried"), [(110, True), (111, False)])
def test_a_wait_beyond_two_minutes_after_the_press_is_not_begun(retry_after: int, is_retried: bool) -> None:
    planned = plan_retry(DeliveryFailed(Code.RATE_LIMITED, retry_after=retry_after), 1, NOW, NOW)

    assert (planned is not None) is is_retried
