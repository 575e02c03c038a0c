"""Names in messages: no link, and no more bytes than a service accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.channels.plain_names import cut_bytes, prevent_links


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example",
        "www.evil.example/x",
        "evil.example",
        "bob@evil.example",
        "10.0.0.1",
        "ftp://evil",
        "a.b.c",
    ],
)
def test_an_address_in_a_name_is_none_that_an_app_links(name: str) -> None:
    shown = prevent_links(name)
    assert "://" not in shown
    assert "." not in shown
    assert len(shown) == len(name)


@pytest.mark.parametrize("name", ["Acme GmbH", "Acme Inc.", "Dr. No", "…", "Büro: Süd/Nord", "24/7"])
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert prevent_links(name) == name


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "…"),
        ("abcdef", 5, "ab…"),
        ("üü", 4, "üü"),
        ("üüü", 5, "ü…"),
        ("🚢🚢", 7, "🚢…"),
        ("🚢🚢", 6, "…"),
    ],
)
def test_a_text_is_cut_between_characters(text: str, most: int, cut: str) -> None:
    assert cut_bytes(text, most) == cut


@given(st.text(), st.integers(3, 50))
def test_a_cut_text_never_has_more_bytes(text: str, most: int) -> None:
    assert len(cut_bytes(text, most).encode()) <= most
