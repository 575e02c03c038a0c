"""A value that a service suggests for a setting, in a failure: the new id of a group, for example.

It comes from a receiver, so it is an integer and nothing else. Nobody uses it before an admin has seen it and agreed.
"""

from dataclasses import dataclass

MAX_DIGITS = 20


@dataclass(frozen=True)
class Suggestion:
    """The name of a setting that is not secret, and the value that the service suggests for it."""

    setting: str
    value: str


def suggest_integer(setting: str, value: object) -> Suggestion | None:
    """Return the suggestion of an integer of at most 20 digits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**MAX_DIGITS:
        return None
    return Suggestion(setting, str(value))
