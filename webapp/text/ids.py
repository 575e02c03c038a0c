"""Reads ids from URLs and form fields, which may hold anything. Every view that takes an id reads it here."""

import re
from collections.abc import Iterable

# The largest id that the databases can store.
LARGEST_ID = 2**63 - 1

_ID = re.compile(r"[1-9][0-9]{0,18}")
_BATCH = re.compile(r"[0-9a-f]{1,32}")
_DRAFT = re.compile(r"[A-Za-z0-9_-]{43}")


def parse_id(text: str | None) -> int | None:
    """Return a row's id, or None if the text is not the usual spelling of a number that could be one."""
    if text is None or not _ID.fullmatch(text):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def parse_ids(texts: Iterable[str]) -> frozenset[int]:
    """Return the row ids in these texts, without those that cannot be one."""
    return frozenset(number for text in texts if (number := parse_id(text)) is not None)


def parse_batch(text: str | None) -> str | None:
    """Return the id of a batch (Test all), or None if the text cannot be one."""
    return text if text is not None and _BATCH.fullmatch(text) else None


def parse_draft(text: str | None) -> str | None:
    """Return the id of a form's draft, or None if the text cannot be one."""
    return text if text is not None and _DRAFT.fullmatch(text) else None
