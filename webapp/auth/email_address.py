"""The canonical form of an account's email address: the one rule for forms, sign-in limits, lookups and commands."""

import re

MAX_LENGTH = 254

_SHAPE = re.compile(r"[^@\s]+@[^@\s]+")


class InvalidEmail(ValueError):
    """No account can have this address. `str()` is a sentence for the person who typed it."""


def read_email(text: str) -> str:
    """Return the canonical form of a typed address. Raises `InvalidEmail`.

    Refuses an invisible character instead of removing it. Does not require the shape of an address: an address of
    another shape belongs to no account, and the answer is the same as for any unknown address.
    """
    email = text.strip().lower()
    if not email:
        raise InvalidEmail("Enter your email address.")
    if not email.isprintable():
        raise InvalidEmail("The email address contains an invisible character. Type it again.")
    if len(email) > MAX_LENGTH:
        raise InvalidEmail(f"The email address is longer than {MAX_LENGTH} characters.")
    return email


def read_new_email(text: str) -> str:
    """Return the canonical form of a new account's address. Raises `InvalidEmail`."""
    email = read_email(text)
    if not _SHAPE.fullmatch(email):
        raise InvalidEmail("An email address looks like name@example.com.")
    return email
