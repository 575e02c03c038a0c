"""Notices although the clock was ahead for a while, or behind: nobody is left untold, and nobody is told twice."""

from datetime import timedelta

import pytest

from tests.notices.conftest import Installation
from tests.notices.test_worker_rounds import STILL, STOPPED, WORKS

HOUR, WEEK, YEAR = timedelta(hours=1), timedelta(weeks=1), timedelta(days=365)

STEPS = (HOUR, WEEK, YEAR, -HOUR, -WEEK, -YEAR)
# PostgreSQL gets one step in each direction: the statements are the same for every step.
CASES = [*(("sqlite", step) for step in STEPS), ("postgres", WEEK), ("postgres", -YEAR)]

pytestmark = pytest.mark.parametrize(("database", "step"), CASES, indirect=["database"])


def live(installation: Installation, hours: int, *, fails: bool = True) -> None:
    """Let hours pass, with a failure and a few rounds in each."""
    for _ in range(hours):
        if fails:
            installation.fail()
        installation.work()
        installation.wait(hours=1)


def test_what_began_by_a_wrong_clock_is_told_once_and_its_end_too(installation: Installation, step: timedelta) -> None:
    installation.clock.at += step
    installation.fail()
    installation.clock.at -= step

    live(installation, 3, fails=False)
    assert installation.list_subjects() == [STOPPED]

    installation.accept()
    live(installation, 3, fails=False)
    assert installation.list_subjects() == [STOPPED, WORKS]


def test_what_was_told_by_a_wrong_clock_is_told_again_once_a_day_while_it_goes_on(
    installation: Installation, step: timedelta
) -> None:
    installation.clock.at += step
    installation.fail()
    installation.work()
    installation.clock.at -= step

    live(installation, 48)
    assert installation.list_subjects()[:2] == [STOPPED, STILL]
    assert len(installation.list_subjects()) <= 3

    installation.accept()
    live(installation, 3, fails=False)
    assert installation.list_subjects()[-1] == WORKS
    assert installation.list_subjects().count(WORKS) == 1


def test_a_mail_that_waited_by_a_wrong_clock_is_sent(installation: Installation, step: timedelta) -> None:
    installation.clock.at += step
    installation.mailbox.script["MAIL"] = "451 4.7.1 later"
    installation.fail()
    installation.work()
    installation.mailbox.script["MAIL"] = "250 ok"
    installation.clock.at -= step

    live(installation, 4, fails=False)
    assert installation.list_subjects() == [STOPPED]


def test_a_moment_with_a_wrong_clock_tells_nothing_twice(installation: Installation, step: timedelta) -> None:
    installation.fail()
    installation.work()
    installation.clock.at += step
    live(installation, 1, fails=False)
    installation.clock.at -= step

    live(installation, 30, fails=False)
    assert installation.list_subjects() == [STOPPED]

    installation.accept()
    live(installation, 3, fails=False)
    assert installation.list_subjects() == [STOPPED, WORKS]
