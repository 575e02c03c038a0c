"""Periods: their choices, their limits, and the moments at which they begin and end."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from webapp.evidence import MAX_DAYS, PeriodInvalid, list_choices, read_period

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def test_without_days_it_is_the_last_full_quarter() -> None:
    period = read_period({}, None, NOW)
    assert (period.since, period.until, period.days) == (date(2026, 1, 1), date(2026, 3, 31), 90)


def test_it_begins_and_ends_at_midnight_of_the_readers_zone_on_both_sides_of_a_change_of_clocks() -> None:
    period = read_period({"from": "2026-03-01", "to": "2026-03-31"}, BERLIN, NOW)
    assert period.begins_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert period.ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), ["2025-12-01 2025-12-31", "2025-10-01 2025-12-31", "2025-01-01 2025-12-31"]),
        (
            datetime(2024, 3, 31, tzinfo=UTC),
            ["2024-02-01 2024-02-29", "2023-10-01 2023-12-31", "2023-03-01 2024-02-29"],
        ),
        (
            datetime(2026, 12, 5, tzinfo=UTC),
            ["2026-11-01 2026-11-30", "2026-07-01 2026-09-30", "2025-12-01 2026-11-30"],
        ),
    ],
)
def test_choices_are_full_months(now: datetime, expected: list[str]) -> None:
    assert [f"{period.since} {period.until}" for period in list_choices(None, now).values()][:3] == expected


def test_the_readers_day_decides_which_quarter_was_the_last_one() -> None:
    new_year = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert list_choices(BERLIN, new_year)["Last quarter"].since == date(2025, 10, 1)
    assert list_choices(None, new_year)["Last quarter"].since == date(2025, 7, 1)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ({"from": "2026-05-04"}, "first and the last day"),
        ({"from": "x", "to": "2026-05-04"}, "first and the last day"),
        ({"from": "2026-05-04", "to": "2026-05-03"}, "before the first one"),
        ({"from": "2025-01-01", "to": "2026-02-05"}, "401 days"),
    ],
)
def test_what_is_no_period_is_refused_with_the_reason(days: dict[str, str], reason: str) -> None:
    with pytest.raises(PeriodInvalid, match=reason):
        read_period(days, None, NOW)


def test_the_longest_period_is_accepted() -> None:
    assert read_period({"from": "2025-01-01", "to": "2026-02-04"}, None, NOW).days == MAX_DAYS
