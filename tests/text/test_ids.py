"""Reading ids from URLs: only the usual spelling of a number that the databases can store."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.text.ids import LARGEST_ID, parse_batch, parse_draft, parse_id


@given(st.integers(1, LARGEST_ID))
def test_an_id_is_read_back(number: int) -> None:
    assert parse_id(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            "0",
            "-1",
            "+1",
            "01",
            " 1",
            "1 ",
            "1\n",
            "1.0",
            "1e0",
            "1_0",
            "0x1",
            "٣",
            "１",
            "\x00",
            "1\x00",
            "abc",
        ),
        *(str(LARGEST_ID + 1), "9" * 19, "9" * 5000, "-" + "9" * 26),
    ],
)
def test_anything_else_is_not_an_id(text: str | None) -> None:
    assert parse_id(text) is None


@pytest.mark.parametrize("text", ["0", "0f", "0123456789abcdef", "a" * 32])
def test_a_batch_is_lowercase_hexadecimal(text: str) -> None:
    assert parse_batch(text) == text


@pytest.mark.parametrize("text", [None, "", "0F", "g", "\x00", "0f\x00", "0f\n", "٣", "a" * 33, "%00", "-1"])
def test_anything_else_is_not_a_batch(text: str | None) -> None:
    assert parse_batch(text) is None


def test_a_drafts_id_is_read_back() -> None:
    assert parse_draft(made := secrets.token_urlsafe(32)) == made


@pytest.mark.parametrize(
    "text", [None, "", "a" * 42, "a" * 44, "\x00" * 43, "a" * 42 + "\x00", "a" * 43 + "\n", "é" * 43]
)
def test_anything_else_is_not_a_draft(text: str | None) -> None:
    assert parse_draft(text) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert parse_id(text) is None or int(text) > 0
    assert parse_batch(text) in (None, text)
    assert parse_draft(text) in (None, text)
