"""The bound on web requests that use the database at once."""

import time
from threading import Timer

import pytest

from webapp.database.request_slots import MAX_REQUESTS, TURN_WAIT, RequestSlots, TooManyRequests

pytestmark = pytest.mark.slow


def _seconds_to_refuse(slots: RequestSlots) -> float:
    started = time.monotonic()
    with pytest.raises(TooManyRequests):
        slots.take()
    return time.monotonic() - started


@pytest.fixture
def full() -> RequestSlots:
    """Slots that were all just taken."""
    slots = RequestSlots(2)
    slots.take()
    slots.take()
    return slots


def test_fewer_requests_than_gunicorn_has_threads_may_use_the_database() -> None:
    slots = RequestSlots()
    for _ in range(7):
        slots.take()

    assert MAX_REQUESTS == 7
    assert _seconds_to_refuse(slots) < TURN_WAIT + 1


def test_one_request_more_waits_for_its_turn_while_pages_take_half_a_second(full: RequestSlots) -> None:
    Timer(0.6, full.give_back).start()

    full.take()


def test_no_request_waits_once_nothing_has_moved_for_a_while(full: RequestSlots) -> None:
    _seconds_to_refuse(full)

    assert _seconds_to_refuse(full) < TURN_WAIT / 2


def test_requests_wait_again_after_one_has_ended(full: RequestSlots) -> None:
    _seconds_to_refuse(full)
    full.give_back()
    full.take()

    assert _seconds_to_refuse(full) > TURN_WAIT / 2
