"""Checks whether every destination can be found by the search."""

from sqlalchemy.exc import SQLAlchemyError

from webapp.app_state import current_settings
from webapp.destinations.search_index import count_unsearchable
from webapp.settings_check.finding import Finding, Severity


def check_search() -> list[Finding]:
    """Count the destinations that a search by host or recipient does not find."""
    try:
        lacking = count_unsearchable(current_settings().cipher)
    except SQLAlchemyError:
        return [Finding("search", Severity.NOTE, "Not checked: the database cannot be used.")]
    found = []
    if lacking.waiting:
        count = _count(lacking.waiting)
        text = f"Not yet found by host or recipient: {count}. A worker with the same keys adds them in minutes."
        found.append(Finding("search", Severity.NOTE, text))
    if lacking.unreadable:
        text = (
            f"Never found by host or recipient: {_count(lacking.unreadable)}, because no key in "
            "ALERTCHECK_CONFIG_KEYS decrypts the settings."
        )
        found.append(Finding("search", Severity.NOTE, text))
    return found or [Finding("search", Severity.OK, "Every destination can be found by its host or its recipients.")]


def _count(number: int) -> str:
    return f"{number} destination{'s' * (number != 1)}"
