"""The failure code of an HTTP status, and its Retry-After header."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from webapp.failures import Code, DeliveryFailed
from webapp.outbound.http.client import HttpResponse
from webapp.outbound.http.status_codes import MAX_RETRY_AFTER, classify_status, parse_retry_after, raise_for_status

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def failure_of(status: int, **headers: str) -> DeliveryFailed:
    """Return the failure raised for a response with this status."""
    response = HttpResponse(status, CaseInsensitiveDict(headers), b"", 0.1)
    with pytest.raises(DeliveryFailed) as caught:
        raise_for_status(response, "hooks.example.com")
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_no_failure(status: int) -> None:
    raise_for_status(HttpResponse(status, {}, b"", 0.1), "hooks.example.com")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (300, Code.REDIRECT_REFUSED),
        (304, Code.REDIRECT_REFUSED),
        (399, Code.REDIRECT_REFUSED),
        (400, Code.BAD_REQUEST),
        (422, Code.BAD_REQUEST),
        (401, Code.AUTH_FAILED),
        (403, Code.FORBIDDEN),
        (404, Code.NOT_FOUND),
        (410, Code.GONE),
        (413, Code.PAYLOAD_TOO_LARGE),
        (429, Code.RATE_LIMITED),
        (500, Code.REMOTE_ERROR),
        (501, Code.REMOTE_ERROR),
        (502, Code.REMOTE_UNAVAILABLE),
        (503, Code.REMOTE_UNAVAILABLE),
        (504, Code.REMOTE_UNAVAILABLE),
        (505, Code.REMOTE_ERROR),
        (402, Code.UNEXPECTED_STATUS),
        (199, Code.UNEXPECTED_STATUS),
        (600, Code.UNEXPECTED_STATUS),
    ],
)
def test_every_other_status_has_its_code(status: int, code: Code) -> None:
    assert failure_of(status).code is code


@given(st.integers(100, 999))
def test_a_status_has_no_code_exactly_when_it_is_2xx(status: int) -> None:
    assert (classify_status(status) is None) == (status // 100 == 2)


def test_a_failure_contains_host_and_status() -> None:
    facts = failure_of(404).facts
    assert (facts.host, facts.status) == ("hooks.example.com", 404)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retry_after_is_kept_for_a_retryable_status(status: int) -> None:
    assert failure_of(status, **{"retry-after": "30"}).retry_after == 30


@pytest.mark.parametrize("status", [301, 400, 500])
def test_retry_after_is_ignored_for_other_statuses(status: int) -> None:
    assert failure_of(status, **{"Retry-After": "30"}).retry_after is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("3600", 3600),
        ("3601", MAX_RETRY_AFTER),
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
        *(
            None,
            "",
            "NaN",
            "inf",
            "-1",
            "+5",
            "1.5",
            "1e3",
            " 5",
            "5 ",
            "1_0",
            "30, 60",
            "1234567890",
            "\u0665",
            "garbage",
        ),
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Xyz 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 25:28:00 GMT",
    ],
)
def test_a_malformed_retry_after_is_ignored(text: str | None) -> None:
    assert parse_retry_after(text, NOON) is None


@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2,5},? [0-9A-Za-z:+ -]{10,27}\Z"))
def test_any_retry_after_text_stays_within_the_limits(text: str) -> None:
    seconds = parse_retry_after(text, NOON)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
