"""Checks whether the encryption keys decrypt the settings of every destination."""

from sqlalchemy.exc import SQLAlchemyError

from webapp.app_state import current_settings
from webapp.destinations.key_rotation import count_unreadable
from webapp.settings_check.finding import Finding, Severity


def check_keys() -> list[Finding]:
    """Decrypt the settings of every destination."""
    try:
        unreadable = count_unreadable(current_settings().cipher)
    except SQLAlchemyError:
        return [Finding("keys", Severity.NOTE, "Not checked: the database cannot be used.")]
    if unreadable:
        text = (
            f"No key in ALERTCHECK_CONFIG_KEYS decrypts the settings of {_count(unreadable)}, so tests of them fail. "
            "Every web server and worker needs the same keys: add the missing one. Only if it is lost, enter the "
            "settings again."
        )
        return [Finding("keys", Severity.PROBLEM, text)]
    return [Finding("keys", Severity.OK, "The encryption keys decrypt the settings of every destination.")]


def _count(number: int) -> str:
    return f"{number} destination{'s' * (number != 1)}"
