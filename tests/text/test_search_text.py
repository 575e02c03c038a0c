"""The text that lists are filtered by."""

import pytest

from webapp.text.search_text import MAX_LENGTH, contains_text, read_search_text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (None, ""),
        ("  Ann  ", "Ann"),
        ("Harbor\u200b\x00 One", "Harbor One"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("x" * 200, "x" * MAX_LENGTH),
    ],
)
def test_a_text_is_cleaned_like_a_name_and_shortened(typed: str | None, text: str) -> None:
    assert read_search_text(typed) == text


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("", True), ("ÉCOLE", True), ("GROSSSTRASSE", True), ("ann@", True), ("%", False), ("anna", False)],
)
def test_a_part_of_a_name_is_found_in_any_case(text: str, is_found: bool) -> None:
    assert contains_text(text, "École der Großstraße", "ann@example.com") is is_found
