"""Numbers of things, as people read them."""

import pytest

from webapp.text.counting import count


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 routes"), (1, "1 route"), (2, "2 routes"), (999, "999 routes"), (1000, "1,000 routes")]
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert count(number, "route") == text


@pytest.mark.parametrize(("number", "text"), [(1, "1 policy"), (2, "2 policies")])
def test_an_irregular_plural_is_given(number: int, text: str) -> None:
    assert count(number, "policy", "policies") == text
