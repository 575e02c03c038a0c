"""Times in words: rounded down to the largest unit that fits, tested on both sides of each change of unit."""

from datetime import timedelta, timezone

import pytest

from tests.factories import NOW, seconds
from webapp.dashboard.time_format import format_day, format_exact, format_relative

IN_WORDS = [
    (1, "1 s"),
    (59, "59 s"),
    (60, "1 min"),
    (119, "1 min"),
    (120, "2 min"),
    (3_599, "59 min"),
    (3_600, "1 h"),
    (86_399, "23 h"),
    (86_400, "1 d"),
    (40_000_000, "462 d"),
]


@pytest.mark.parametrize(("count", "words"), IN_WORDS)
def test_a_past_moment_is_shown_as_ago(count: int, words: str) -> None:
    assert format_relative(NOW - seconds(count), NOW) == f"{words} ago"


@pytest.mark.parametrize(("count", "words"), IN_WORDS)
def test_a_future_moment_is_shown_as_in(count: int, words: str) -> None:
    assert format_relative(NOW + seconds(count), NOW) == f"in {words}"


@pytest.mark.parametrize("count", [-0.5, -0.001, 0, 0.001, 0.5])
def test_half_a_second_before_or_after_is_just_now(count: float) -> None:
    assert format_relative(NOW + seconds(count), NOW) == "just now"


@pytest.mark.parametrize(("count", "words"), [(-0.51, "1 s ago"), (0.51, "in 1 s")])
def test_more_than_half_a_second_is_a_second(count: float, words: str) -> None:
    assert format_relative(NOW + seconds(count), NOW) == words


def test_an_exact_moment_is_written_in_utc_to_the_second() -> None:
    assert format_exact(NOW + seconds(7.9)) == "2026-05-04 09:30:07 UTC"


def test_an_exact_moment_of_another_zone_is_written_in_utc() -> None:
    assert format_exact(NOW.astimezone(timezone(timedelta(hours=-10)))) == "2026-05-04 09:30:00 UTC"


@pytest.mark.parametrize(("zone", "day"), [(None, "2026-05-04"), (timezone(timedelta(hours=-10)), "2026-05-03")])
def test_a_day_is_that_of_the_reader(zone: timezone | None, day: str) -> None:
    assert format_day(NOW, zone) == day
