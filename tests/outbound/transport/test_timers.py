"""The thread that calls functions at their time."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from benchmarks.installation.processes import wait_until
from tests.outbound.transport.forks import holds_in_fork
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.timers import TimerThread, timers


@pytest.fixture
def thread() -> TimerThread:
    return TimerThread()


Called = SimpleQueue[Any]


def drain(called: Called) -> list[Any]:
    """Return what was called so far."""
    found = []
    while not called.empty():
        found.append(called.get())
    return found


def test_an_early_timer_behind_a_late_one_is_called_at_its_time(thread: TimerThread) -> None:
    called = Called()
    thread.call_at(monotonic() + 30, lambda: called.put("late"))
    sleep(0.2)  # the thread waits for the late one
    started = monotonic()
    thread.call_at(started + 0.1, lambda: called.put("early"))
    assert called.get(timeout=5) == "early"
    assert monotonic() - started >= 0.1


def test_timers_are_called_in_the_order_of_their_times(thread: TimerThread) -> None:
    called, now = Called(), monotonic()
    for number in (3, 1, 2):
        thread.call_at(now + number / 10, lambda number=number: called.put(number))  # type: ignore[misc]
    assert [called.get(timeout=5) for _ in range(3)] == [1, 2, 3]


def test_a_timer_of_the_past_is_called_at_once(thread: TimerThread) -> None:
    called = Called()
    thread.call_at(monotonic() - 1, lambda: called.put(1))
    assert called.get(timeout=5) == 1


def test_a_canceled_timer_is_not_called_and_those_behind_it_are(thread: TimerThread) -> None:
    called, now = Called(), monotonic()
    thread.cancel(thread.call_at(now + 0.1, lambda: called.put("canceled")))
    thread.call_at(now + 0.2, lambda: called.put("next"))
    assert called.get(timeout=5) == "next"
    assert called.empty()


def test_a_timer_can_be_canceled_after_its_call_and_twice(thread: TimerThread) -> None:
    called = Called()
    timer = thread.call_at(monotonic(), lambda: called.put(1))
    called.get(timeout=5)
    thread.cancel(timer)
    thread.cancel(timer)
    assert called.empty()


def test_a_canceled_timer_keeps_nothing_of_its_send(thread: TimerThread) -> None:
    timer = thread.call_at(monotonic() + 30, lambda: None)
    thread.cancel(timer)
    assert timer.action is None


@pytest.fixture
def impatient_switches() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("impatient_switches")
def test_each_timer_is_called_once_unless_it_was_canceled_in_time(thread: TimerThread) -> None:
    """Half of them are canceled around the moment in which they are due, from several threads."""
    called, canceled = Called(), Called()

    def add(number: int) -> None:
        timer = thread.call_at(monotonic() + 0.001 * (number % 5), lambda: called.put(number))
        if number % 2:
            thread.cancel(timer)
            canceled.put(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(2000)))
    wait_until(lambda: called.qsize() >= 1000, 20)
    last = Event()
    thread.call_at(monotonic() + 0.1, last.set)
    assert last.wait(20)
    found = drain(called)
    assert len(found) == len(set(found))
    assert {number for number in found if number % 2 == 0} == set(range(0, 2000, 2))


def test_if_the_thread_fails_all_timers_are_called_and_the_next_one_starts_another(
    thread: TimerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadline that nobody watches any more must end its send at once."""
    monkeypatch.setattr("threading.excepthook", lambda _error: None)
    called, failing = Called(), Event()
    now = monotonic()

    def fail() -> None:
        failing.set()
        raise MemoryError

    thread.cancel(thread.call_at(now + 60, lambda: called.put("canceled")))
    thread.call_at(now + 60, lambda: called.put("first"))
    thread.call_at(now + 90, lambda: called.put("second"))
    thread.call_at(now, fail)
    assert failing.wait(5)
    assert [called.get(timeout=5), called.get(timeout=5)] == ["first", "second"]
    thread.call_at(monotonic(), lambda: called.put("third"))
    assert called.get(timeout=5) == "third"


@pytest.mark.slow
def test_a_forked_process_has_its_own_thread_and_leaves_its_parents_timers_alone() -> None:
    called = Called()
    timer = timers.call_at(monotonic() + 0.5, lambda: called.put("called"))

    def calls_its_own_timer_only() -> bool:
        own = Event()
        timers.call_at(monotonic() + 1, own.set)
        return own.wait(10) and called.empty()

    try:
        assert holds_in_fork(calls_its_own_timer_only)
        assert called.get(timeout=5) == "called"
    finally:
        timers.cancel(timer)


def test_a_process_that_was_forked_while_the_lock_was_held_can_use_timers() -> None:
    def hits_a_deadline() -> bool:
        with Deadline(0.1) as deadline:
            wait_until(lambda: deadline.hit, 10)
            return True

    with timers._changed, ThreadPoolExecutor(1) as pool:
        assert pool.submit(holds_in_fork, hits_a_deadline).result(30)
