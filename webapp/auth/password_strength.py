"""Refuses passwords that are too short or too long."""

MIN_LENGTH = 12
MAX_LENGTH = 1000


class WeakPassword(ValueError):
    """A password that may not be set. `str()` says what to do instead."""


def check_password(password: str) -> None:
    """Raise `WeakPassword` if a password is too short or too long."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} characters or more.")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Use {MAX_LENGTH:,} characters or fewer.")
