"""The wait tracker: how long one process has seen a row wait."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import seconds
from webapp.app_state import Waited
from webapp.deliveries import WaitTracker


def _tracker(*moments: float, capacity: float = 10) -> WaitTracker:
    """A tracker whose clock shows these seconds, one after the other."""
    clock = iter(moments)
    return WaitTracker(lambda: next(clock), capacity)


def test_a_row_that_is_seen_for_the_first_time_has_not_waited() -> None:
    assert _tracker(5).observe(1, "queued") == Waited(seconds(0), seconds(0))


def test_a_row_that_does_not_change_waits_in_its_state() -> None:
    tracker = _tracker(5, 8)
    tracker.observe(1, "queued")

    assert tracker.observe(1, "queued") == Waited(seconds(3), seconds(3))


def test_a_change_of_a_row_starts_the_wait_in_its_state_anew() -> None:
    tracker = _tracker(5, 8, 10)
    tracker.observe(1, "queued")
    tracker.observe(1, "sending")

    assert tracker.observe(1, "sending") == Waited(seconds(5), seconds(2))


def test_a_row_that_was_forgotten_is_seen_for_the_first_time() -> None:
    tracker = _tracker(5, 6, 8, 8)
    tracker.observe(1, "queued")
    tracker.observe(2, "queued")
    tracker.forget_others({2})

    assert tracker.observe(1, "queued") == Waited(seconds(0), seconds(0))
    assert tracker.observe(2, "queued") == Waited(seconds(2), seconds(2))


def test_beyond_its_capacity_it_forgets_the_row_not_seen_for_longest() -> None:
    tracker = _tracker(0, 1, 2, 3, 4, 5, capacity=2)
    for row_id in (1, 2, 1, 3):
        tracker.observe(row_id, "queued")

    assert tracker.observe(1, "queued") == Waited(seconds(4), seconds(4))
    assert tracker.observe(2, "queued") == Waited(seconds(0), seconds(0))


@pytest.mark.slow
def test_threads_may_share_it() -> None:
    tracker = WaitTracker(lambda: 0.0, capacity=50)

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: tracker.observe(number % 100, "queued"), range(20_000)))

    assert set(results) == {Waited(seconds(0), seconds(0))}
