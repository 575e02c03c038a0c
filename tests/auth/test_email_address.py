"""One canonical form per address: however an address is spelled, it is refused or becomes that form."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.auth.email_address import InvalidEmail, read_email, read_new_email

EMAIL = "owner@example.com"


@pytest.mark.parametrize(
    "spelled", [EMAIL, EMAIL.upper(), "Owner@Example.Com", f" {EMAIL}", f"{EMAIL}\r\n", f"\u2028{EMAIL}\u00a0\x1f"]
)
def test_case_and_surrounding_space_do_not_matter(spelled: str) -> None:
    assert read_email(spelled) == EMAIL


@pytest.mark.parametrize(
    "invisible",
    ["\x00", "\x1b", "\x7f", "\x85", "\u00a0", "\u00ad", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\ud800"],
)
@pytest.mark.parametrize("place", ["owner{}@example.com", "owner@exam{}ple.com"])
def test_an_invisible_character_inside_is_refused(place: str, invisible: str) -> None:
    with pytest.raises(InvalidEmail, match="invisible character"):
        read_email(place.format(invisible))


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003"])
def test_an_empty_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidEmail, match="Enter your email address"):
        read_email(text)


@pytest.mark.parametrize(("length", "is_refused"), [(254, False), (255, True)])
def test_an_address_has_254_characters_at_most(length: int, is_refused: bool) -> None:
    assert _is_refused("e" * length) is is_refused


def test_an_address_that_grows_in_lower_case_is_measured_in_lower_case() -> None:
    assert _is_refused("İ" * 128)  # each becomes two characters


@given(st.text(min_size=1, max_size=20))
def test_reading_an_address_twice_changes_nothing(text: str) -> None:
    assert _is_refused(text) or read_email(read_email(text)) == read_email(text)


@pytest.mark.slow
def test_every_character_is_refused_or_has_one_canonical_form() -> None:
    characters = [f"a{chr(point)}b" for point in range(sys.maxunicode + 1)]
    accepted = [text for text in characters if not _is_refused(text)]

    assert [text for text in accepted if read_email(read_email(text)) != read_email(text)] == []
    assert [text for text in accepted if unicodedata.category(read_email(text)[1])[0] == "C"] == []


@pytest.mark.parametrize("text", ["owner", "@example.com", "owner@", "a@b@c", "own er@example.com", "owner@exam ple"])
def test_a_new_account_needs_an_address_of_the_usual_shape(text: str) -> None:
    with pytest.raises(InvalidEmail, match=r"name@example\.com"):
        read_new_email(text)


def test_a_new_accounts_address_is_canonical() -> None:
    assert read_new_email(" Grace@Example.com ") == "grace@example.com"


def _is_refused(text: str) -> bool:
    try:
        read_email(text)
    except InvalidEmail:
        return True
    return False
