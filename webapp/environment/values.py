"""The rules of single settings. Each check returns the value, or raises ValueError with the rest of a sentence."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import ValidationInfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.encryption.keys import HOW, read_keys
from webapp.environment.model import split

MAKE_RANDOM = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"

SHORTEST_SECRET_KEY = 32
"""Characters."""

_UNREADABLE = "cannot be read. In a password, write / as %2F, : as %3A, @ as %40, # as %23 and ? as %3F."

_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def read_flag(text: str) -> bool:
    """Read a word that means on or off."""
    word = text.strip().lower()
    if word not in _FLAGS:
        raise ValueError("has to be 1, true, yes or on, or else 0, false, no, off or empty.")
    return _FLAGS[word]


def check_secret_key(key: str) -> str:
    """Refuse a key that is short enough to guess."""
    if len(key) < SHORTEST_SECRET_KEY:
        raise ValueError(f"needs {SHORTEST_SECRET_KEY} characters or more. Make one with: {MAKE_RANDOM}")
    return key


def read_config_keys(text: str, info: ValidationInfo) -> tuple[str, ...]:
    """Read the keys; there may be none where a file has them, or was meant to."""
    if text:
        return read_keys(text)
    if info.data.get("config_keys_file", "set, but wrong"):
        return ()
    raise ValueError(f"is not set. Make one with: {HOW}")


def check_database_url(url: str) -> str:
    """Take what the database library can read, but no database in memory."""
    _check_scheme(url, "postgresql://", "postgresql+psycopg://", "sqlite://")
    try:
        read = make_url(url)
        if "@" in (read.host or ""):
            raise ValueError("part of the password was taken for the host")
    except (ArgumentError, ValueError):  # not told: the error quotes what may be a piece of the password
        raise ValueError(_UNREADABLE) from None
    if read.get_backend_name() == "sqlite" and not _is_file(read):
        raise ValueError("has to name a file, such as sqlite:////var/lib/alertcheck/alertcheck.sqlite.")
    return url


def _is_file(url: URL) -> bool:
    """Say whether an SQLite database is a file, and not in memory, where each process would have one for itself."""
    is_in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    return not (url.host or is_in_memory)


def check_queue_url(url: str) -> str:
    """Take what the queue's client can read."""
    _check_scheme(url, "redis://", "rediss://", "unix://")
    try:
        urlsplit(url).port  # noqa: B018 - as the queue's client reads it
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    return url


def _check_scheme(url: str, *schemes: str) -> None:
    if not url.startswith(schemes):  # not repeated: it may hold a password
        raise ValueError(f"has to begin with {' or '.join(schemes)}.")


def check_metrics_token(token: str) -> str:
    """Refuse what can be guessed, as nothing slows a guesser down, and what no header can carry."""
    if not re.fullmatch("[!-~]{16,}", token):
        raise ValueError(f"needs 16 characters or more, in ASCII without spaces. Make one with: {MAKE_RANDOM}")
    return token


def read_waits(text: str) -> tuple[timedelta, ...]:
    """Read seconds, which come to half a day at most."""
    parts = split(text)
    are_numbers = all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts)
    waits = tuple(timedelta(seconds=int(part)) for part in parts) if are_numbers else ()
    if not are_numbers or sum(waits, timedelta()) > timedelta(hours=12):
        raise ValueError("has to be seconds, such as 60,300,1800, and 12 hours in all at most.")
    return waits


def check_days(days: int) -> int:
    """Refuse more than a century of days, which a date could not hold."""
    if days > 36_500:
        raise ValueError("has to be 36500 at most; 0 keeps deliveries for ever.")
    return days
