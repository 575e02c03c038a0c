"""The readiness report: current for two seconds, checked by one request at a time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Timer

import pytest

from webapp.health.report import FIRST_WAIT, MAX_AGE, USABLE_AGE, Parts, SharedReport

READY = {"database": "ok", "queue": "ok", "worker": "ok"}


@dataclass
class Check:
    """A check that counts its calls and can be held, and a clock that can be moved."""

    calls: int = 0
    now: float = 0.0
    running: Event = field(default_factory=Event)
    release: Event = field(default_factory=Event)

    def __call__(self) -> Parts:
        self.calls += 1
        self.running.set()
        assert self.release.wait(60)
        return READY | {"worker": f"checked {self.calls}"}

    def clock(self) -> float:
        return self.now


@pytest.fixture
def check() -> Check:
    return Check()


@pytest.fixture
def report(check: Check) -> SharedReport:
    """A report that was never checked."""
    return SharedReport(check, check.clock)


@pytest.fixture
def checked(check: Check, report: SharedReport) -> SharedReport:
    """A report that has just been checked."""
    check.release.set()
    report.get()
    return report


@contextmanager
def _held(report: SharedReport, check: Check) -> Iterator[None]:
    """Hold a check that another request makes."""
    check.running.clear()
    check.release.clear()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(report.get)
        assert check.running.wait(60)
        yield
        check.release.set()


@pytest.mark.parametrize(("age", "calls"), [(MAX_AGE - 0.1, 1), (MAX_AGE, 2)])
def test_a_report_is_current_for_two_seconds(check: Check, checked: SharedReport, age: float, calls: int) -> None:
    check.now = age
    checked.get()

    assert check.calls == calls


def test_while_a_request_checks_the_others_get_the_last_report_at_once(check: Check, checked: SharedReport) -> None:
    check.now = MAX_AGE
    with _held(checked, check):
        started = time.monotonic()
        parts = checked.get()
        seconds = time.monotonic() - started

    assert (parts["worker"], check.calls, seconds < FIRST_WAIT) == ("checked 1", 2, True)


def test_a_request_waits_a_little_where_the_last_report_is_old(check: Check, checked: SharedReport) -> None:
    check.now = USABLE_AGE
    with _held(checked, check):
        Timer(FIRST_WAIT / 5, check.release.set).start()
        parts = checked.get()

    assert (parts["worker"], check.calls) == ("checked 2", 2)


def test_during_the_first_check_the_others_learn_that_nothing_is_known(check: Check, report: SharedReport) -> None:
    with _held(report, check):
        parts = report.get()

    assert set(parts.values()) == {"unknown, because the first check has not ended"}
    assert check.calls == 1


def test_after_a_check_that_raised_the_next_request_checks_again() -> None:
    def fail() -> Parts:
        raise KeyError

    broken = SharedReport(fail)
    with pytest.raises(KeyError):
        broken.get()
    with pytest.raises(KeyError):
        broken.get()
