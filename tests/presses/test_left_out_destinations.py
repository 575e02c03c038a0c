"""What Test all leaves out: each destination counts once, with how long it has to wait."""

from collections import defaultdict, deque

from tests.factories import NOW, seconds
from webapp.presses.eligibility import RequestResult
from webapp.presses.left_out_destinations import (
    LeftOut,
    Waits,
    add_up,
    find_eligible,
    read_left_out,
    separate_refused,
    summarize,
    write_left_out,
)
from webapp.presses.press import Refused
from webapp.presses.testable_destinations import Candidate


def _pages(candidate: Candidate) -> RequestResult | None:
    return RequestResult.NOT_CONFIRMED if candidate.channel == "pushover" else None


def test_a_destination_that_cannot_be_tested_now_is_left_out_with_its_wait() -> None:
    waits: Waits = defaultdict(list)
    candidates = [
        Candidate(1, "slack", True, None),
        Candidate(2, "slack", False, None),
        Candidate(3, "pushover", True, None),
        Candidate(4, "slack", True, NOW - seconds(59)),
        Candidate(5, "slack", True, NOW - seconds(60)),
    ]

    assert list(find_eligible(candidates, NOW, _pages, waits)) == [1, 5]
    assert waits == {
        RequestResult.DISABLED: [0],
        RequestResult.NOT_CONFIRMED: [0],
        RequestResult.COOLING_DOWN: [1],
    }


def test_a_destination_that_another_press_tested_meanwhile_waits_for_a_whole_cooldown() -> None:
    waits: Waits = defaultdict(list)

    assert separate_refused([7, Refused(RequestResult.COOLING_DOWN)], deque([9]), waits) == [7]
    assert waits == {RequestResult.COOLING_DOWN: [60]}


def test_the_limit_of_the_workspace_leaves_out_all_that_remain() -> None:
    waits: Waits = defaultdict(list)
    remaining = deque([8, 9])

    written = separate_refused([7, Refused(RequestResult.WORKSPACE_LIMIT, 20, 45)], remaining, waits)

    assert (written, list(remaining)) == ([7], [])
    assert summarize(waits) == [LeftOut(RequestResult.WORKSPACE_LIMIT, 3, 45)]


def test_the_same_reason_of_several_presses_is_added_up_with_the_longest_wait() -> None:
    parts = [
        LeftOut(RequestResult.COOLING_DOWN, 2, 40),
        LeftOut(RequestResult.DISABLED, 1, 0),
        LeftOut(RequestResult.COOLING_DOWN, 3, 12),
    ]

    assert add_up(parts) == [LeftOut(RequestResult.COOLING_DOWN, 5, 40), LeftOut(RequestResult.DISABLED, 1, 0)]


def test_what_was_left_out_is_read_as_it_was_written() -> None:
    parts = [LeftOut(RequestResult.TARGET_LIMIT, 50, 60), LeftOut(RequestResult.DISABLED, 1, 0)]

    assert read_left_out(write_left_out(parts)) == parts
