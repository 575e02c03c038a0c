"""What a service suggests, in the row of a delivery."""

import pytest

from webapp.deliveries.attempts.suggestions import read_suggestion, write_suggestion
from webapp.failures import Suggestion
from webapp.models import AlertDelivery


@pytest.mark.parametrize("suggestion", [None, Suggestion("chat_id", "-100123"), Suggestion("chat_id", "9" * 20)])
def test_a_suggestion_is_read_as_it_was_written(suggestion: Suggestion | None) -> None:
    assert read_suggestion(AlertDelivery(suggestion=write_suggestion(suggestion))) == suggestion


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"setting": "chat_id"},
        {"value": "1"},
        {"setting": None, "value": "1"},
        {"setting": "chat_id", "value": 1},
        *[
            {"setting": "chat_id", "value": value}
            for value in ("", "x", "1" * 21, "<b>", "1\n", "\u0661", "+1", "@evil")
        ],
    ],
)
def test_a_value_that_this_version_does_not_write_is_ignored(stored: dict[str, object]) -> None:
    assert read_suggestion(AlertDelivery(suggestion=stored)) is None
