"""Checks single settings. Each function returns the value, or raises ValueError with the rest of a sentence."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import ValidationInfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.encryption.keys import GENERATE_KEY_COMMAND, read_keys
from webapp.environment.model import split

# The command that error sentences give for creating a random text.
GENERATE_RANDOM_COMMAND = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"

# Characters.
MIN_SECRET_KEY_LENGTH = 32

_UNREADABLE = "cannot be read. In a password, write / as %2F, : as %3A, @ as %40, # as %23 and ? as %3F."

_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def read_flag(text: str) -> bool:
    """Return True for a word that means on, and False for a word that means off."""
    word = text.strip().lower()
    if word not in _FLAGS:
        raise ValueError("has to be 1, true, yes or on, or 0, false, no, off or empty.")
    return _FLAGS[word]


def check_secret_key(key: str) -> str:
    """Refuse a key that is short enough to be guessed."""
    if len(key) < MIN_SECRET_KEY_LENGTH:
        raise ValueError(f"needs {MIN_SECRET_KEY_LENGTH} characters or more. Make one with: {GENERATE_RANDOM_COMMAND}")
    return key


def read_config_keys(text: str, info: ValidationInfo) -> tuple[str, ...]:
    """Read the keys. There may be none if a key file is set, even an invalid one: its own error is reported."""
    if text:
        return read_keys(text)
    if info.data.get("config_keys_file", "set, but wrong"):
        return ()
    raise ValueError(f"is not set. Make one with: {GENERATE_KEY_COMMAND}")


def check_database_url(url: str) -> str:
    """Accept a URL that the database library can parse, except a database in memory."""
    _check_scheme(url, "postgresql://", "postgresql+psycopg://", "sqlite://")
    try:
        parsed = make_url(url)
        if "@" in (parsed.host or ""):
            raise ValueError("part of the password was taken for the host")
    except (ArgumentError, ValueError):  # not repeated: the error may quote a part of the password
        raise ValueError(_UNREADABLE) from None
    if parsed.get_backend_name() == "sqlite" and not _is_file(parsed):
        raise ValueError("has to name a file, such as sqlite:////var/lib/alertcheck/alertcheck.sqlite.")
    return url


def _is_file(url: URL) -> bool:
    """Check that an SQLite database is a file. Each process would have its own database in memory."""
    is_in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    return not (url.host or is_in_memory)


def check_queue_url(url: str) -> str:
    """Accept a URL that the client of the queue can parse."""
    _check_scheme(url, "redis://", "rediss://", "unix://")
    try:
        urlsplit(url).port  # noqa: B018 - the queue's client reads it the same way
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    return url


def _check_scheme(url: str, *schemes: str) -> None:
    if not url.startswith(schemes):  # the sentence does not repeat the URL, which may hold a password
        raise ValueError(f"has to begin with {' or '.join(schemes)}.")


def check_metrics_token(token: str) -> str:
    """Refuse a token that can be guessed, because guessing is not rate-limited, or that does not fit into a header."""
    if not re.fullmatch("[!-~]{16,}", token):
        raise ValueError(
            f"needs 16 characters or more, in ASCII without spaces. Make one with: {GENERATE_RANDOM_COMMAND}"
        )
    return token


def read_retry_delays(text: str) -> tuple[timedelta, ...]:
    """Read a list of seconds, which may add up to 12 hours at most."""
    parts = split(text)
    are_numbers = all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts)
    delays = tuple(timedelta(seconds=int(part)) for part in parts) if are_numbers else ()
    if not are_numbers or sum(delays, timedelta()) > timedelta(hours=12):
        raise ValueError("has to be seconds, such as 60,300,1800, and 12 hours in total at most.")
    return delays


def check_days(days: int) -> int:
    """Refuse more than a century of days, which would be out of range for a date."""
    if days > 36_500:
        raise ValueError("has to be 36500 at most; 0 keeps deliveries forever.")
    return days
