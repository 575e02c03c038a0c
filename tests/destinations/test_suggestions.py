"""Which suggestion of a service is offered for a destination's settings."""

from typing import Any

import pytest

from webapp.destinations.suggestions import find_offer
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus

NEW_ID = {"setting": "chat_id", "value": "-1001"}


def _offer(channel: str = "telegram", **facts: Any) -> str | None:
    values = {"status": DeliveryStatus.FAILED, "settings_version": 3, "suggestion": NEW_ID} | facts
    offer = find_offer(AlertDestination(type=channel, settings_version=3), AlertDelivery(**values))
    return offer.button if offer else None


def test_the_new_value_of_a_text_is_offered() -> None:
    assert _offer() == "Use the new chat id -1001"


@pytest.mark.parametrize(
    "facts",
    [
        {"suggestion": None},
        {"status": DeliveryStatus.QUEUED},
        {"status": DeliveryStatus.SENT},
        {"status": DeliveryStatus.CANCELED},
        {"settings_version": 2},
        {"settings_version": None},
        {"channel": "slack"},
        {"channel": "of another version"},
        *[{"suggestion": NEW_ID | {"setting": name}} for name in ("bot_token", "server", "name", "")],
    ],
)
def test_nothing_else_is_offered(facts: dict[str, Any]) -> None:
    assert _offer(**facts) is None


def test_a_destination_without_a_test_is_offered_nothing() -> None:
    assert find_offer(AlertDestination(type="telegram", settings_version=3), None) is None
