"""The Retry-After header."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.outbound.http.retry_after import (
    MAX_RETRY_AFTER,
    limit_retry_after,
    parse_retry_after,
    read_retry_after,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("3600", 3600),
        ("3601", 3601),
        ("2678401", MAX_RETRY_AFTER),
        ("999999999", MAX_RETRY_AFTER),
        ("Tue, 24 Nov 2026 12:01:30 GMT", 90),
        ("Tuesday, 24-Nov-26 12:01:30 GMT", 90),
        ("Tue Nov 24 12:01:30 2026", 90),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
    ],
)
def test_a_well_formed_retry_after_is_clamped_to_its_limits(text: str, seconds: float) -> None:
    assert parse_retry_after(text, NOON) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "NaN", "inf", "-1", "+5", "1.5", "1e3", " 5", "5 ", "1_0"),
        *("30, 60", "1234567890", "\u0665", "garbage"),
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Xyz 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 25:28:00 GMT",
    ],
)
def test_a_malformed_retry_after_is_ignored(text: str) -> None:
    assert parse_retry_after(text, NOON) is None


@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2,5},? [0-9A-Za-z:+ -]{10,27}\Z"))
def test_any_retry_after_text_stays_within_the_limits(text: str) -> None:
    seconds = parse_retry_after(text, NOON)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("named", "seconds"), [(0, 0), (64.57, 64.57), (2678401, MAX_RETRY_AFTER), (10**400, MAX_RETRY_AFTER)]
)
def test_a_wait_in_a_body_is_limited_as_that_of_the_header(named: float, seconds: float) -> None:
    assert limit_retry_after(named) == seconds


@pytest.mark.parametrize("named", [None, True, "5", -1, float("nan"), float("inf"), [5], {}])
def test_a_malformed_wait_in_a_body_is_ignored(named: object) -> None:
    assert limit_retry_after(named) is None


@pytest.mark.parametrize("text", ["90", "90 ", "90\t", "Tue, 24 Nov 2026 12:01:30 GMT "])
def test_blanks_after_a_headers_value_are_not_a_part_of_it(text: str) -> None:
    assert read_retry_after({"Retry-After": text}, NOON) == 90


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Tue, 24 Nov 2026 12:01:00 GMT", 30),
        ("Tue, 24 Nov 2026 12:02:00 GMT", 0),
        ("Tue, 24 Nov 2026 11:01:30 GMT ", 3600),
        ("noon", 90),
        ("", 90),
    ],
)
def test_a_date_counts_from_the_receivers_own_clock(date: str, seconds: float) -> None:
    headers = {"Retry-After": "Tue, 24 Nov 2026 12:01:30 GMT", "Date": date}
    assert read_retry_after(headers, NOON) == seconds


def test_without_the_header_nothing_is_asked() -> None:
    assert read_retry_after({"Date": "Tue, 24 Nov 2026 12:01:30 GMT"}, NOON) is None
