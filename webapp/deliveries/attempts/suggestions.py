"""What a service suggested for a setting when it refused a message, as stored in the delivery's row."""

import re

from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.failures import Suggestion, suggest_integer
from webapp.failures.suggested_setting import MAX_DIGITS

_INTEGER = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}")


def write_suggestion(suggestion: Suggestion | None) -> dict[str, str] | None:
    """Return the value of the `suggestion` column."""
    return None if suggestion is None else {"setting": suggestion.setting, "value": suggestion.value}


def read_suggestion(delivery: AnyDelivery) -> Suggestion | None:
    """Return what the service suggested; None if nothing, or if it is not what this version would have stored."""
    stored = delivery.suggestion if isinstance(delivery.suggestion, dict) else {}
    setting, value = stored.get("setting"), stored.get("value")
    if not isinstance(setting, str) or not isinstance(value, str) or not _INTEGER.fullmatch(value):
        return None
    return suggest_integer(setting, int(value))
