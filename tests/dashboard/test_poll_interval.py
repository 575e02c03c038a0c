"""The poll interval of a Pending fragment, and the limit on the polls that one process serves."""

import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from heapq import heapreplace

import pytest

from webapp.dashboard.poll_interval import (
    INTERVALS,
    JITTER,
    LONGEST_REFRESH,
    POLLS_PER_SECOND,
    REFRESH_COST,
    PollBudget,
    choose_interval,
)


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize(
    ("age", "interval"),
    [
        (-1, 0.02),
        (0, 0.02),
        (0.299, 0.02),
        (0.3, 0.05),
        (0.499, 0.05),
        (0.5, 0.25),
        (2.999, 0.25),
        (3, 1),
        (14.999, 1),
        (15, 2),
        (59.999, 2),
        (60, 5),
        (299.999, 5),
        (300, 10),
        (86_400, 10),
    ],
)
def test_an_older_test_is_polled_more_slowly(age: float, interval: float) -> None:
    assert choose_interval(timedelta(seconds=age), 1) == interval


@pytest.mark.parametrize(
    ("pending", "interval"),
    [(1, 0.02), (2, 0.05), (3, 0.25), (4, 1), (8, 1), (9, 2), (20, 2), (21, 5), (50, 5), (51, 10), (100_000, 10)],
)
def test_polling_slows_down_as_more_tests_of_the_workspace_wait(pending: int, interval: float) -> None:
    assert choose_interval(timedelta(), pending) == interval


def test_the_longer_of_both_intervals_applies() -> None:
    assert choose_interval(timedelta(seconds=15), 5) == 2
    assert choose_interval(timedelta(seconds=3), 20) == 2


@pytest.mark.usefixtures("clock")
def test_few_pages_poll_at_their_own_interval() -> None:
    poll_budget = PollBudget(budget=40)

    assert [poll_budget.next_interval(0.05), poll_budget.next_interval(0.05)] == [0.05, 0.05]


@pytest.mark.usefixtures("clock")
def test_a_test_that_waits_alone_polls_at_the_shortest_interval_beside_pages_that_refresh() -> None:
    poll_budget = PollBudget()
    for _ in range(10):
        poll_budget.next_refresh()

    assert round(1000 * poll_budget.next_interval(INTERVALS[0])) == 20


@pytest.mark.parametrize(("early", "interval"), [(0, 0.02), (0.9 * JITTER, 0.02), (1.1 * JITTER, 0.04)])
def test_a_poll_that_is_a_little_early_is_the_one_that_was_expected(
    clock: Clock, early: float, interval: float
) -> None:
    poll_budget = PollBudget(budget=50)
    poll_budget.next_interval(0.02)
    clock.now += 0.02 - early

    assert poll_budget.next_interval(0.02) == pytest.approx(interval)


@pytest.mark.usefixtures("clock")
def test_many_pages_slow_down_new_and_old_tests_alike() -> None:
    poll_budget = PollBudget(budget=20)
    for _ in range(60):
        poll_budget.next_interval(1)

    assert poll_budget.next_interval(0.05) == pytest.approx(0.05 * 80 / 20)
    assert poll_budget.next_interval(1) == pytest.approx(81 / 20)


def test_a_finished_or_abandoned_poll_no_longer_counts(clock: Clock) -> None:
    poll_budget = PollBudget(budget=20)
    for _ in range(200):
        poll_budget.next_interval(1)
    clock.now += INTERVALS[-1] + 0.001

    assert poll_budget.next_interval(0.05) == 0.05


@pytest.mark.usefixtures("clock")
def test_no_page_waits_longer_than_the_longest_interval() -> None:
    poll_budget = PollBudget()

    assert max(poll_budget.next_interval(0.05) for _ in range(10_000)) == INTERVALS[-1]


@pytest.mark.parametrize("requested", INTERVALS[:-1])
def test_a_thousand_open_pages_stay_within_the_budget(clock: Clock, requested: float) -> None:
    """For a minute, each page polls as soon as it may."""
    poll_budget, began = PollBudget(budget=2 * POLLS_PER_SECOND), clock.now
    due = [clock.now] * 1000  # a heap: the first one is the earliest
    polls = 0
    while clock.now < began + 60:
        clock.now = due[0]
        heapreplace(due, clock.now + poll_budget.next_interval(requested))
        polls += clock.now > began + 30

    assert polls / 30 <= 1.05 * max(2 * POLLS_PER_SECOND, 1000 / INTERVALS[-1])


@pytest.mark.usefixtures("clock")
def test_few_pages_refresh_once_a_minute() -> None:
    assert [PollBudget().next_refresh() for _ in range(3)] == [60, 60, 60]


@pytest.mark.usefixtures("clock")
def test_refreshes_and_polls_share_the_budget() -> None:
    poll_budget = PollBudget(budget=20)
    for _ in range(600):
        poll_budget.next_refresh()
    for _ in range(20):
        poll_budget.next_interval(1)

    assert poll_budget.next_refresh() == pytest.approx(60 * (601 * REFRESH_COST / 60 + 20) / 20)
    assert poll_budget.next_interval(1) == pytest.approx((601 * REFRESH_COST / 60 + 21) / 20)


@pytest.mark.usefixtures("clock")
def test_no_page_waits_longer_than_the_longest_time_between_refreshes() -> None:
    poll_budget = PollBudget(budget=1)

    assert max(poll_budget.next_refresh() for _ in range(10_000)) == LONGEST_REFRESH


def test_a_finished_or_abandoned_refresh_no_longer_counts(clock: Clock) -> None:
    poll_budget = PollBudget(budget=1)
    for _ in range(600):
        poll_budget.next_refresh()
    clock.now += LONGEST_REFRESH + 0.001

    assert poll_budget.next_refresh() == 60


def test_many_threads_lose_no_count() -> None:
    poll_budget, usual = PollBudget(budget=math.inf), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: [poll_budget.next_interval(0.0002) for _ in range(2000)], range(8)))
    finally:
        sys.setswitchinterval(usual)
    time.sleep(0.01)
    poll_budget.next_interval(0.5)

    assert poll_budget._requested_rate == pytest.approx(1 / 0.5)
