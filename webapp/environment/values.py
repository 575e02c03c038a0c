"""Checks single settings. Each function returns the value, or raises ValueError with the rest of a sentence."""

import re
from collections.abc import Callable
from datetime import timedelta

from pydantic import ValidationInfo

from webapp.encryption.keys import GENERATE_KEY_COMMAND, read_keys
from webapp.environment.settings_reader import split

# The command that error sentences give for creating a random text.
GENERATE_RANDOM_COMMAND = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"

# Characters.
MIN_SECRET_KEY_LENGTH = 32

_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def read_flag(text: str) -> bool:
    """Return True for a word that means on, and False for a word that means off."""
    word = text.lower()
    if word not in _FLAGS:
        raise ValueError("has to be 1, true, yes or on, or 0, false, no, off or empty.")
    return _FLAGS[word]


def check_secret_key(key: str) -> str:
    """Refuse a key that is short enough to be guessed, or consists of bytes instead of text."""
    if any("\udc80" <= character <= "\udcff" for character in key):
        raise ValueError(f"contains bytes that are not text in UTF-8. Make one with: {GENERATE_RANDOM_COMMAND}")
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


def check_metrics_token(token: str) -> str:
    """Refuse a token that can be guessed, because guessing is not rate-limited, or that does not fit into a header."""
    if not re.fullmatch("[!-~]{16,}", token):
        raise ValueError(
            f"needs 16 characters or more, in ASCII without spaces. Make one with: {GENERATE_RANDOM_COMMAND}"
        )
    return token


def read_retry_delays(text: str) -> tuple[timedelta, ...]:
    """Read a list of seconds, which may add up to 12 hours at most."""
    parts = split(text, ", ")
    are_numbers = all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts)
    delays = tuple(timedelta(seconds=int(part)) for part in parts) if are_numbers else ()
    if not are_numbers or sum(delays, timedelta()) > timedelta(hours=12):
        raise ValueError("has to be seconds, such as 60,300,1800, without units, and 12 hours in total at most.")
    return delays


def read_number(most: int, example: int, note: str = "") -> Callable[[str], int]:
    """Return a function that reads a whole number from 0 to `most`. note: a sentence for its error."""

    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) > most:
            sentence = f"has to be a whole number from 0 to {most}, without a unit, such as {example}."
            raise ValueError(f"{sentence} {note}".strip())
        return int(text)

    return read
