"""References as people say, type and paste them."""

import pytest

from webapp.text.references import read_reference


@pytest.mark.parametrize(
    "text",
    [
        "K7QM4T",
        "k7qm4t",
        " K7Q M4T ",
        "K7Q-M4T",
        "k-7-q-m-4-t",
        "K7Q–M4T",  # as word processors write a hyphen
        "K7Q\u00a0M4T",
        "K7QM4T.",
        "Reference: K7QM4T",
        "ref K7QM4T",
        "ref. k7qm4t",
        "Ｋ７ＱＭ４Ｔ",
        "https://alertcheck.example.com/r/K7QM4T",
        "https://alertcheck.example.com/r/k7qm4t/12?x=1",
    ],
)
def test_every_spelling_of_a_reference_is_read(text: str) -> None:
    assert read_reference(text) == ("K7QM4T",)


def test_letters_that_sound_like_digits_are_tried_as_digits_too() -> None:
    assert read_reference("AO1L7F") == ("AO1L7F", "A0117F")


@pytest.mark.parametrize(
    "text", ["", "K7Q", "K7QM4T\0", "K7QM4T%", "https://example.com/hook", "ann@example.com", "K7QM4TK7QM4TK", "Kühe12"]
)
def test_another_text_is_no_reference(text: str) -> None:
    assert read_reference(text) == ()
