"""Times in words: rounded down to the largest unit that fits, tested on both sides of each change of unit.

Times by the clock: in the reader's time zone, also where its clocks change.
"""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from tests.factories import NOW, seconds
from webapp.dashboard.time_format import (
    describe_zone,
    find_age_change,
    format_clock,
    format_day,
    format_exact,
    format_local,
    format_machine,
    format_moment,
    format_relative,
)

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


def test_scripts_read_a_moment_in_utc_to_the_millisecond() -> None:
    moment = NOW.astimezone(timezone(timedelta(hours=5))) + timedelta(microseconds=1_250_999)

    assert format_machine(moment) == "2026-05-04T09:30:01.250Z"


@pytest.mark.parametrize(("zone", "day"), [(None, "2026-05-04"), (timezone(timedelta(hours=-10)), "2026-05-03")])
def test_a_day_is_that_of_the_reader(zone: timezone | None, day: str) -> None:
    assert format_day(NOW, zone) == day


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "now", "shown"),
    [
        ("UTC", "2026-05-04T09:30:07", "2026-05-04T23:59:59", "09:30:07"),
        ("UTC", "2026-05-04T23:59:59", "2026-05-05T00:00:00", "2026-05-04 23:59:59"),
        ("UTC", "2026-05-05T00:00:00", "2026-05-04T23:59:59", "2026-05-05 00:00:00"),
        ("Europe/Berlin", "2026-05-04T09:30:07", "2026-05-04T09:30:07", "11:30:07"),
        ("Pacific/Kiritimati", "2026-05-04T09:59:59", "2026-05-04T10:00:00", "2026-05-04 23:59:59"),  # +14
        ("Pacific/Kiritimati", "2026-05-04T10:00:00", "2026-05-05T09:59:59", "00:00:00"),
        ("Etc/GMT+12", "2026-05-04T11:59:59", "2026-05-04T12:00:00", "2026-05-03 23:59:59"),  # -12
        ("Etc/GMT+12", "2026-05-04T12:00:00", "2026-05-05T11:59:59", "00:00:00"),
        ("Asia/Kolkata", "2026-05-04T09:30:07", "2026-05-04T10:00:00", "15:00:07"),
        ("Asia/Kathmandu", "2026-05-04T09:30:07", "2026-05-04T10:00:00", "15:15:07"),
        # The hour that is skipped in spring, from both sides.
        ("Europe/Berlin", "2026-03-29T00:59:59", "2026-03-29T09:00:00", "01:59:59 UTC+01:00"),
        ("Europe/Berlin", "2026-03-29T01:00:00", "2026-03-29T09:00:00", "03:00:00"),
        # The hour that is there twice in autumn.
        ("Europe/Berlin", "2026-10-25T00:30:00", "2026-10-25T09:00:00", "02:30:00 UTC+02:00"),
        ("Europe/Berlin", "2026-10-25T01:30:00", "2026-10-25T09:00:00", "02:30:00"),
        ("Europe/Berlin", "2026-10-25T00:30:00", "2026-10-25T00:40:00", "02:30:00"),
        ("Europe/Berlin", "2026-01-04T09:30:00", "2026-07-04T09:30:00", "2026-01-04 10:30:00 UTC+01:00"),
        ("Europe/London", "2026-01-04T09:30:00", "2026-07-04T09:30:00", "2026-01-04 09:30:00 UTC"),
        ("Australia/Lord_Howe", "2026-01-04T09:30:00", "2026-07-04T09:30:00", "2026-01-04 20:30:00 UTC+11:00"),
    ],
)
def test_a_moment_has_its_date_unless_it_is_today_and_its_offset_unless_it_is_nows(
    zone: str, moment: str, now: str, shown: str
) -> None:
    assert format_moment(at(moment), at(now), ZoneInfo(zone)) == shown


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "UTC"),
        ("Europe/London", "UTC+01:00"),
        ("Africa/Abidjan", "UTC"),
        ("Asia/Kathmandu", "UTC+05:45"),
        ("America/St_Johns", "UTC-02:30"),
        ("Pacific/Marquesas", "UTC-09:30"),
        ("Pacific/Kiritimati", "UTC+14:00"),
        ("Etc/GMT+12", "UTC-12:00"),
    ],
)
def test_an_offset_is_written_with_its_sign_and_minutes(zone: str, offset: str) -> None:
    assert format_clock(NOW, ZoneInfo(zone)).partition(" ")[2] == offset


def test_a_full_time_is_the_same_instant_with_its_offset() -> None:
    assert format_local(NOW, ZoneInfo("America/New_York")) == "2026-05-04 05:30:00 UTC-04:00"


def test_without_a_zone_times_are_in_utc() -> None:
    assert format_moment(NOW, NOW, None) == "09:30:00"
    assert format_local(NOW, None) == "2026-05-04 09:30:00 UTC"
    assert format_clock(NOW, None) == "09:30:00 UTC"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Europe/Berlin, UTC+02:00"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos Aires, UTC-03:00"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_described_by_its_name_and_offset(zone: str, words: str) -> None:
    assert describe_zone(NOW, ZoneInfo(zone)) == words


def test_no_zone_is_described_as_utc() -> None:
    assert describe_zone(NOW, None) == "UTC"


AGES = [0, 0.3, 0.5, 0.6, 1.5, 59.4, 59.5, 60, 3_599.4, 3_599.6, 86_399.4, 86_399.6, 86_400, 2_591_999.7, 2_592_000]


@pytest.mark.parametrize("age", AGES)
def test_an_age_stays_the_same_until_it_changes_in_words_or_in_whole_days(age: float) -> None:
    moment, day = NOW - seconds(age), timedelta(days=1)
    change = find_age_change(moment, NOW)

    def describe(now: datetime) -> tuple[str, int]:
        return format_relative(moment, now), (now - moment) // day

    assert change >= NOW
    assert describe(NOW) == describe(change - timedelta(microseconds=1)) != describe(change + timedelta(microseconds=1))


def test_the_age_of_a_future_moment_is_not_known_for_long() -> None:
    assert find_age_change(NOW + seconds(2), NOW) == NOW
