"""Positions in lists, in the addresses of pages."""

from datetime import UTC, datetime

import pytest

from webapp.text.cursors import Cursor, parse_cursor


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
