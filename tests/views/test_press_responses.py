"""The responses to a press: one status per result, and a sentence for each refusal."""

import pytest

from webapp.presses.eligibility import RequestResult
from webapp.presses.press import PressResult
from webapp.views.press_responses import REFUSALS, REFUSALS_TO_CUSTOMERS, STATUSES, describe_refusal


def test_every_result_has_a_status() -> None:
    assert set(STATUSES) == set(RequestResult)


@pytest.mark.parametrize("result", [result for result in RequestResult if STATUSES[result] in (403, 409, 429)])
def test_a_customer_reads_why_a_press_was_refused(result: RequestResult) -> None:
    refusal = describe_refusal(PressResult(result, 5), REFUSALS_TO_CUSTOMERS)

    assert refusal is not None
    assert refusal.startswith("Not sent: ")


@pytest.mark.parametrize(("seconds", "words"), [(1, "in 1 second."), (2, "in 2 seconds.")])
def test_a_refusal_by_a_limit_says_when_to_press_again(seconds: int, words: str) -> None:
    refusal = describe_refusal(PressResult(RequestResult.MEMBER_LIMIT, seconds))

    assert refusal == f"Not sent: you sent too many tests within a minute. Send another test {words}"


@pytest.mark.parametrize("refusals", [REFUSALS, REFUSALS_TO_CUSTOMERS])
def test_an_accepted_press_needs_no_words(refusals: dict[RequestResult, str]) -> None:
    assert describe_refusal(PressResult(RequestResult.ACCEPTED), refusals) is None
