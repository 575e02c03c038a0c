"""Time zones by name, whatever a browser or a row says, and days where clocks change at midnight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.time_zones import MAX_NAME, begin_of_day, end_of_day, find_zone, is_known, list_places

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
    assert not is_known(name)


@pytest.mark.parametrize(
    "name", ["UTC", "GMT", "Etc/GMT-14", "Europe/Berlin", "Europe/Kiev", "Europe/Kyiv", "Asia/Calcutta", "US/Eastern"]
)
def test_names_that_browsers_report_are_known_also_old_ones(name: str) -> None:
    assert is_known(name)
    assert find_zone(name) == ZoneInfo(name)


def test_every_zone_to_choose_from_can_be_used_and_stored() -> None:
    places = list_places()

    assert [name for name in places if find_zone(name) is None or len(name) > MAX_NAME] == []
    assert list(places) == sorted(places)
    assert {"Africa/Cairo", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Pacific/Kiritimati"} <= set(places)
    assert {name.partition("/")[0] for name in places} & {"Etc", "US", "posix", "right", "EST5EDT"} == set()


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
