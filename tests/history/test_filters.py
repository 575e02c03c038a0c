"""The filter and the page key of the history, as a URL carries them."""

from datetime import UTC, date, datetime

import pytest

from webapp.history import Cursor, Filter, Kind, parse_cursor, parse_filter
from webapp.models import DeliveryStatus

EVERYTHING = {
    "kind": "real",
    "status": "failed",
    "code": "not_found",
    "channel": "slack",
    "reference": "K7QM4T",
    "since": "2026-05-01",
    "until": "2026-05-04",
}


def test_a_filter_is_read_from_the_url_and_written_back() -> None:
    wanted = parse_filter(EVERYTHING, destination_id=7)

    assert wanted == Filter(
        7, Kind.REAL, DeliveryStatus.FAILED, "not_found", "slack", "K7QM4T", date(2026, 5, 1), date(2026, 5, 4)
    )
    assert wanted.as_query() == EVERYTHING | {"destination": "7"}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"kind": "", "status": "", "code": "", "channel": "", "reference": "", "since": "", "until": ""},
        {"kind": "tests"},
        {"status": "lost"},
        {"code": "a\x00b"},
        {"code": "x" * 51},
        {"channel": "\n"},
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "20260504"},
        {"until": "2026-W19-1"},
        {"until": "0000-00-00"},
        {"destination": "7"},
    ],
)
def test_an_unknown_word_filters_nothing(query: dict[str, str]) -> None:
    assert parse_filter(query) == Filter()


def test_a_reference_is_read_as_people_type_it() -> None:
    assert parse_filter({"reference": " k7q-m4t "}).reference == "K7QM4T"


def test_a_text_that_is_no_reference_stays_and_matches_nothing() -> None:
    assert parse_filter({"reference": "§ 4"}).reference == "§ 4"


def test_a_code_of_another_program_can_be_filtered_for() -> None:
    assert parse_filter({"code": "HTTP 599"}).code == "HTTP 599"


@pytest.mark.parametrize(
    ("wanted", "narrows"),
    [(Filter(), False), (Filter(destination_id=7), False), (Filter(kind=Kind.TEST), True), (Filter(code="x"), True)],
)
def test_a_destination_alone_does_not_narrow_its_history(wanted: Filter, narrows: bool) -> None:
    assert wanted.has_criteria is narrows


def test_a_page_key_is_written_to_the_microsecond_and_read_back() -> None:
    key = Cursor(datetime(2026, 5, 4, 9, 30, 0, 123456, tzinfo=UTC), 17)

    assert (str(key), parse_cursor(str(key))) == ("2026-05-04T09:30:00.123456Z_17", key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "17",
        "2026-05-04T09:30:00.000000Z",
        "2026-05-04T09:30:00.000000Z_",
        "2026-05-04T09:30:00.000000Z_-1",
        "2026-05-04T09:30:00.000000Z_٣",
        "2026-05-04T09:30:00.000000Z_" + "9" * 20,
        "2026-05-04T09:30:00_17",
        "2026-02-30T09:30:00.000000Z_17",
        "2026-05-04T09:30:00.000000+02:00_17",
        "2026-05-04T09:30:00.000000Z\x00_17",
    ],
)
def test_an_invalid_page_key_is_none(text: str) -> None:
    assert parse_cursor(text) is None


@pytest.mark.parametrize(("number", "is_one"), [(2**63 - 1, True), (2**63, False)])
def test_a_page_keys_id_fits_into_the_database(number: int, is_one: bool) -> None:
    assert (parse_cursor(f"2026-05-04T09:30:00.000000Z_{number}") is not None) is is_one
