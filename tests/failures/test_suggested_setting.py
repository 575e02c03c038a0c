"""What a service may suggest for a setting."""

import pytest

from webapp.failures import Suggestion, suggest_integer


@pytest.mark.parametrize("value", [0, -1, -1001234567890, 10**20 - 1, 1 - 10**20])
def test_an_integer_of_twenty_digits_is_a_suggestion(value: int) -> None:
    assert suggest_integer("chat_id", value) == Suggestion("chat_id", str(value))


@pytest.mark.parametrize(
    "value", [10**20, -(10**20), pytest.param(10**5000, id="huge"), True, None, "1", "-100", 1.0, [], {}]
)
def test_anything_else_is_none(value: object) -> None:
    assert suggest_integer("chat_id", value) is None
