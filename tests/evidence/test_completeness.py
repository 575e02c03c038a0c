"""Why a report is incomplete, and from which day it is complete."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from webapp.evidence import Period, RetentionPeriods, find_gaps
from webapp.evidence.completeness import find_complete_from

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
OLD = datetime(2020, 1, 1, tzinfo=UTC)
FOREVER = RetentionPeriods(None, None)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30), UTC)


def test_a_past_period_of_which_nothing_was_deleted_is_complete() -> None:
    assert find_gaps(APRIL, OLD, FOREVER, NOW) == []


@pytest.mark.parametrize(
    ("retention", "what"),
    [
        (RetentionPeriods(timedelta(days=20), None), "tests, alerts and receipts are deleted after 20 days"),
        (RetentionPeriods(None, timedelta(days=20)), "audit events are deleted after 20 days"),
    ],
)
def test_what_a_worker_may_have_deleted_is_named(retention: RetentionPeriods, what: str) -> None:
    (gap,) = find_gaps(APRIL, OLD, retention, NOW)
    assert what in gap.reason
    assert "2026-04-14 09:30:00 UTC" in gap.reason
    assert gap.complete_from == date(2026, 4, 15)


@pytest.mark.parametrize(("days", "gaps"), [(33, 1), (34, 0)])
def test_a_retention_counts_if_the_period_reaches_behind_it(days: int, gaps: int) -> None:
    assert len(find_gaps(APRIL, OLD, RetentionPeriods(timedelta(days=days), None), NOW)) == gaps


def test_a_period_before_the_workspace_is_complete_from_its_first_full_day() -> None:
    (gap,) = find_gaps(APRIL, datetime(2026, 4, 9, 22, tzinfo=UTC), FOREVER, NOW)
    assert gap.complete_from == date(2026, 4, 10)
    berlin = Period(APRIL.since, APRIL.until, ZoneInfo("Europe/Berlin"))
    (gap,) = find_gaps(berlin, datetime(2026, 4, 9, 22, 1, tzinfo=UTC), FOREVER, NOW)
    assert gap.complete_from == date(2026, 4, 11)


def test_a_period_that_goes_on_is_incomplete_at_its_end() -> None:
    period = Period(date(2026, 5, 1), date(2026, 5, 4), UTC)
    (gap,) = find_gaps(period, OLD, FOREVER, NOW)
    assert (gap.complete_from, "has not ended" in gap.reason) == (None, True)


def test_the_last_of_several_reasons_decides() -> None:
    retention = RetentionPeriods(timedelta(days=20), timedelta(days=10))
    gaps = find_gaps(APRIL, datetime(2026, 4, 2, tzinfo=UTC), retention, NOW)
    assert [gap.complete_from for gap in gaps] == [date(2026, 4, 2), date(2026, 4, 15), date(2026, 4, 25)]
    assert find_complete_from(gaps, APRIL) == date(2026, 4, 25)


def test_a_period_that_was_deleted_wholly_has_no_complete_day() -> None:
    gaps = find_gaps(APRIL, OLD, RetentionPeriods(timedelta(days=1), None), NOW)
    assert find_complete_from(gaps, APRIL) is None
