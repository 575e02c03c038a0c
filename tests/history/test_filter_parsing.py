"""The filter and the page key of the history, as a URL carries them."""

from datetime import date

import pytest

from webapp.history import DeliveryFilter, DeliveryKind, parse_filter
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

    assert wanted == DeliveryFilter(
        7, DeliveryKind.REAL, DeliveryStatus.FAILED, "not_found", "slack", "K7QM4T", date(2026, 5, 1), date(2026, 5, 4)
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
    assert parse_filter(query) == DeliveryFilter()


def test_a_reference_is_read_as_people_type_it() -> None:
    assert parse_filter({"reference": " k7q-m4t "}).reference == "K7QM4T"


def test_a_text_that_is_no_reference_stays_and_matches_nothing() -> None:
    assert parse_filter({"reference": "§ 4"}).reference == "§ 4"


def test_a_code_of_another_program_can_be_filtered_for() -> None:
    assert parse_filter({"code": "HTTP 599"}).code == "HTTP 599"


@pytest.mark.parametrize(
    ("wanted", "narrows"),
    [
        (DeliveryFilter(), False),
        (DeliveryFilter(destination_id=7), False),
        (DeliveryFilter(kind=DeliveryKind.TEST), True),
        (DeliveryFilter(code="x"), True),
    ],
)
def test_a_destination_alone_does_not_narrow_its_history(wanted: DeliveryFilter, narrows: bool) -> None:
    assert wanted.has_criteria is narrows
