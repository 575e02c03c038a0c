"""The poll interval of a Pending fragment, and the limit on the polls that one process serves."""

import math
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from heapq import heapreplace

import pytest

from webapp.dashboard.poll_interval import (
    INTERVALS,
    LONGEST_REFRESH,
    POLLS_PER_SECOND,
    REFRESH_COST,
    WAIT_COST,
    WAIT_INTERVAL,
    PollBudget,
    choose_interval,
    is_wait_worthwhile,
)
from webapp.models import DeliveryStatus
from webapp.queue.outcome_waits import LONGEST_WAIT


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
        (-1, 0.05),
        (0, 0.05),
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
    [(1, 0.05), (2, 0.05), (3, 0.25), (4, 1), (8, 1), (9, 2), (20, 2), (21, 5), (50, 5), (51, 10), (100_000, 10)],
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
def test_few_pages_wait_at_the_shortest_interval_beside_pages_that_refresh() -> None:
    poll_budget = PollBudget()
    for _ in range(10):
        poll_budget.next_refresh()

    assert [poll_budget.next_wait() for _ in range(3)] == [WAIT_INTERVAL] * 3


@pytest.mark.usefixtures("clock")
def test_a_request_that_waits_costs_two_polls_for_as_long_as_it_may_wait() -> None:
    poll_budget = PollBudget(budget=WAIT_COST / LONGEST_WAIT)

    assert poll_budget.next_wait() == WAIT_INTERVAL
    assert poll_budget.next_wait() == pytest.approx(2 * LONGEST_WAIT)
    assert poll_budget.next_interval(1) == pytest.approx(2 + LONGEST_WAIT / WAIT_COST)


@pytest.mark.parametrize(
    ("status", "age", "pending", "is_awaited"),
    [
        (DeliveryStatus.QUEUED, 0, 1, True),
        (DeliveryStatus.QUEUED, 2.999, 1, True),
        (DeliveryStatus.QUEUED, 3, 1, False),
        (DeliveryStatus.QUEUED, 0, 2, False),
        (DeliveryStatus.DEFERRED, 0, 1, False),
        (DeliveryStatus.SENT, 0, 1, False),
    ],
)
def test_only_a_young_test_that_waits_alone_is_awaited(
    status: DeliveryStatus, age: float, pending: int, is_awaited: bool
) -> None:
    assert is_wait_worthwhile(status, timedelta(seconds=age), pending) == is_awaited


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
    poll_budget = PollBudget(budget=2 * POLLS_PER_SECOND)

    polls = _count_polls(clock, 1000, lambda: poll_budget.next_interval(requested))

    assert polls <= 1.05 * max(2 * POLLS_PER_SECOND, 1000 / INTERVALS[-1])


def test_a_thousand_pages_whose_requests_may_wait_stay_within_the_budget(clock: Clock) -> None:
    """Even if none of them finds a place to wait."""
    poll_budget = PollBudget(budget=2 * POLLS_PER_SECOND)

    polls = _count_polls(clock, 1000, poll_budget.next_wait)

    assert polls <= 1.05 * max(2 * POLLS_PER_SECOND, 1000 / INTERVALS[-1])


def _count_polls(clock: Clock, pages: int, next_poll: Callable[[], float]) -> float:
    """Return the polls per second after half a minute in which each page polls as soon as it may."""
    began, polls = clock.now, 0
    due = [clock.now] * pages  # a heap: the first one is the earliest
    while clock.now < began + 60:
        clock.now = due[0]
        heapreplace(due, clock.now + next_poll())
        polls += clock.now > began + 30
    return polls / 30


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
