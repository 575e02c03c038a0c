"""The words about a press on Test all: "all" is claimed only of everything, and nothing left out is hidden."""

import pytest

from tests.factories import NOW
from webapp.dashboard.batch_status import REASONS, describe_left_out, describe_progress
from webapp.deliveries.badge import Badge
from webapp.presses.batch_progress import BatchProgress
from webapp.presses.eligibility import RequestResult
from webapp.presses.left_out_destinations import LeftOut

DISABLED = [LeftOut(RequestResult.DISABLED, 1, 0)]


def _progress(pending: int, sent: int, left_out: list[LeftOut] | None) -> BatchProgress:
    counts = dict.fromkeys(Badge, 0) | {Badge.PENDING: pending, Badge.SENT: sent}
    return BatchProgress("0f", counts, (), left_out, NOW)


@pytest.mark.parametrize(
    ("pending", "sent", "left_out", "words"),
    [
        (0, 0, [], "No test was sent"),
        (0, 0, DISABLED, "No test was sent"),
        (0, 0, None, "No test was sent"),
        (2, 1, [], "1 of 3 tests are complete"),
        (2, 1, DISABLED, "1 of 3 tests are complete"),
        (0, 3, [], "All 3 tests are complete"),
        (0, 1, [], "The test is complete"),
        (0, 3, DISABLED, "The 3 requested tests are complete"),
        (0, 1, DISABLED, "The requested test is complete"),
        (0, 3, None, "The 3 requested tests are complete"),
    ],
)
def test_all_tests_are_complete_only_if_nothing_was_left_out(
    pending: int, sent: int, left_out: list[LeftOut] | None, words: str
) -> None:
    assert describe_progress(_progress(pending, sent, left_out)) == words


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ([], None),
        (None, "Whether other destinations were left out is no longer known."),
        ([LeftOut(RequestResult.DISABLED, 2, 0)], "2 destinations were left out because they are disabled."),
        (DISABLED, "1 destination was left out because it is disabled."),
        (
            [
                LeftOut(RequestResult.DISABLED, 2, 0),
                LeftOut(RequestResult.COOLING_DOWN, 1, 55),
                LeftOut(RequestResult.TARGET_LIMIT, 50, 60),
            ],
            "53 destinations were left out: 50 because too many tests went to their addresses within a minute, "
            "1 because it was tested less than a minute ago, 2 because they are disabled.",
        ),
        (
            [LeftOut(RequestResult.WORKSPACE_LIMIT, 12, 60), LeftOut(RequestResult.QUEUE_UNAVAILABLE, 3, 0)],
            "15 destinations were left out: 12 because its workspace sent as many tests as it may within a minute, "
            "3 because Alertcheck could not reach its queue.",
        ),
    ],
)
def test_what_was_left_out_is_described_by_reason_and_number(left_out: list[LeftOut] | None, words: str | None) -> None:
    assert describe_left_out(left_out) == words


def test_every_reason_to_leave_a_destination_out_has_words() -> None:
    # A viewer and a member over their own limit are never left out: the one may not press, the other does not count.
    assert set(RequestResult) - set(REASONS) == {
        RequestResult.ACCEPTED,
        RequestResult.PLANNED,
        RequestResult.NOT_ALLOWED,
        RequestResult.MEMBER_LIMIT,
    }
