"""Makes hashing a password cheap in this process. The application's own cost would be most of the work of many tests.

A hash carries its cost, so a cheap one is checked as cheaply. Only what a hash costs differs from the application.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from webapp.auth import passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

_production = passwords._hasher


def hash_cheaply() -> None:
    """Let the application hash and check passwords cheaply, those of unknown addresses too."""
    passwords._hasher = CHEAP
    passwords._DUMMY_HASH = passwords._make_dummy_hash()


@contextmanager
def production_cost() -> Iterator[None]:
    """Let the application hash and check passwords as in production inside a `with`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", _production)
        patch.setattr(passwords, "_DUMMY_HASH", passwords._make_dummy_hash())
        yield
