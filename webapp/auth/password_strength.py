"""Refuses passwords that are easy to guess. zxcvbn estimates how many guesses a password withstands."""

import re
from collections.abc import Iterable
from importlib import import_module
from threading import Lock

MIN_LENGTH = 12
MAX_LENGTH = 1000

# Guesses, as a power of ten: zxcvbn's best grade, for passwords whose slow hash is stolen.
MIN_GUESSES_LOG10 = 10

# The time that zxcvbn takes grows with the square of the length: 0.2 s for the worst 32 characters. A longer password
# whose first 32 characters are easy to guess is refused.
EXAMINED_LENGTH = 32

PRODUCT = "alertcheck"

# Letters and digits that a password needs beside names, however they are separated and repeated.
MIN_BESIDE_NAMES = 8

# Shorter parts of names occur in random passwords too.
_MIN_WORD_LENGTH = 3

_ADVICE = "Use four or more unrelated words, or let a password manager make one."
_PERSONAL = f"This password is too easy to guess: it contains a name that others know. {_ADVICE}"
_COMMON = f"This password is too easy to guess: it is made of common words, repetitions or keyboard patterns. {_ADVICE}"

# zxcvbn keeps the words of the last call in a global dictionary.
_estimating = Lock()


class WeakPassword(ValueError):
    """A password that may not be set. `str()` says what to do instead."""


def check_password(password: str, names: Iterable[str]) -> None:
    """Raise `WeakPassword` if a password is too short, too long or easy to guess.

    names: what others know of its owner: the email address, the person's and the workspaces' names.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} characters or more.")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Use {MAX_LENGTH:,} characters or fewer.")
    words = _list_words((PRODUCT, *names))
    if len(_remove_words(password, words)) < MIN_BESIDE_NAMES:
        raise WeakPassword(_PERSONAL)
    # Imported at the first use: few processes need its 15 MiB of word lists.
    estimate = import_module("zxcvbn").zxcvbn
    with _estimating:
        result = estimate(password[:EXAMINED_LENGTH], user_inputs=words)
    if result["guesses_log10"] < MIN_GUESSES_LOG10:
        is_personal = any(match.get("dictionary_name") == "user_inputs" for match in result["sequence"])
        raise WeakPassword(_PERSONAL if is_personal else _COMMON)


def _remove_words(password: str, words: list[str]) -> str:
    """Return the letters and digits of a password that belong to no word, forwards or backwards.

    A password that contains none of the words is returned as it is.
    """
    rest = password.lower()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ").replace(word[::-1], " ")
    return re.sub(r"[\W_]+", "", rest) if rest != password.lower() else password


def _list_words(names: Iterable[str]) -> list[str]:
    """Return each name whole, without its separators, and in parts."""
    words: dict[str, None] = {}
    for name in names:
        parts = re.split(r"[\W_]+", name.lower())
        words |= dict.fromkeys((name.lower(), "".join(parts), *parts))
    return [word for word in words if len(word) >= _MIN_WORD_LENGTH]
