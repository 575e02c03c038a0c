"""The text that a list is filtered by, such as a part of a name."""

from webapp.text.names import clean_name

MAX_LENGTH = 100


def read_search_text(text: str | None) -> str:
    """Return the text that a list is searched for, cleaned as names are, so that it finds what looks the same."""
    return clean_name(text or "")[:MAX_LENGTH]


def contains_text(text: str, *names: str) -> bool:
    """Return whether one of the names contains a text, upper and lower case aside."""
    wanted = text.casefold()
    return not wanted or any(wanted in name.casefold() for name in names)
