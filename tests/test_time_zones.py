"""Time zones by name, whatever a browser or a row says, and days where clocks change at midnight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from webapp.time_zones import begin_of_day, end_of_day, find_zone, list_places, read_zone_name

NO_ZONES = [
    None,
    "",
    " ",
    "Etc/Unknown",
    "Mars/Olympus_Mons",
    "Europe",
    "Europe/",
    "zone.tab",
    "../../etc/passwd",
    "/etc/localtime",
    "Europe/Berlin\x00",
    "Europe/Berlin ",
    "\udcff",
    "𝔘𝔗ℭ",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", NO_ZONES)
def test_a_name_that_is_none_has_no_zone(name: str | None) -> None:
    assert find_zone(name) is None


@pytest.mark.parametrize("name", [*filter(None, NO_ZONES), "Factory", "localtime", "posix/UTC", "right/UTC"])
def test_a_browser_cannot_report_a_name_that_is_none(name: str) -> None:
    assert read_zone_name(name) is None


@pytest.mark.parametrize(
    ("name", "today"),
    [
        *((name, name) for name in ("UTC", "Etc/GMT-14", "Europe/Berlin", "Europe/Stockholm", "Asia/Kolkata")),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Asia/Katmandu", "Asia/Kathmandu"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("US/Eastern", "America/New_York"),
        *((name, "UTC") for name in ("Etc/UTC", "Zulu", "Etc/Universal")),
        ("GMT", "Etc/GMT"),
    ],
)
def test_a_name_that_a_browser_reports_is_read_as_that_of_today(name: str, today: str) -> None:
    assert read_zone_name(name) == today
    assert find_zone(today) == ZoneInfo(today)


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)])
def test_every_name_of_the_data_is_read_as_a_zone_with_the_same_clocks(moment: datetime) -> None:
    read = {name: read_zone_name(name) for name in available_timezones() - {"Factory", "localtime"}}

    assert [
        name
        for name, today in read.items()
        if today is None
        or moment.astimezone(ZoneInfo(name)).utcoffset() != moment.astimezone(ZoneInfo(today)).utcoffset()
    ] == []


def test_every_zone_to_choose_from_can_be_used_and_stored() -> None:
    places = list_places()

    assert [name for name in places if find_zone(name) is None or read_zone_name(name) != name] == []
    assert max(map(len, available_timezones())) <= 64  # the column's
    assert list(places) == sorted(set(places))
    assert {"Africa/Cairo", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Pacific/Kiritimati"} <= set(places)
    assert {"Asia/Katmandu", "US/Eastern", "EST5EDT", "GB"} & set(places) == set()


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("UTC", "2026-05-04", "2026-05-04T00:00", "2026-05-05T00:00"),
        ("Pacific/Kiritimati", "2026-05-04", "2026-05-03T10:00", "2026-05-04T10:00"),  # +14
        ("Etc/GMT+12", "2026-05-04", "2026-05-04T12:00", "2026-05-05T12:00"),  # -12
        ("Asia/Kolkata", "2026-05-04", "2026-05-03T18:30", "2026-05-04T18:30"),
        ("Asia/Kathmandu", "2026-05-04", "2026-05-03T18:15", "2026-05-04T18:15"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),  # 23 hours
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),  # 25 hours
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", "2026-04-05T13:30"),  # half an hour more
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", "2026-03-29T21:00"),  # begins at 01:00
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),  # has midnight twice
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),  # was skipped
    ],
)
def test_a_day_begins_when_its_clocks_say_so(zone: str, day: str, begins: str, ends: str) -> None:
    found = [bound(date.fromisoformat(day), ZoneInfo(zone)) for bound in (begin_of_day, end_of_day)]

    assert found == [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_the_ends_of_time_are_days_too(zone: str) -> None:
    last = date.max - timedelta(days=1)

    assert begin_of_day(date.min, ZoneInfo(zone)).year == 1
    assert begin_of_day(date.max, ZoneInfo(zone)) > begin_of_day(last, ZoneInfo(zone))
    assert end_of_day(date.max, ZoneInfo(zone)) > end_of_day(last, ZoneInfo(zone))
