"""Hashes and checks passwords."""

import os
from base64 import b64encode
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import bindparam, select, update

from webapp.extensions import db
from webapp.models import Account
from webapp.models.row_changes import change_rows

_hasher = PasswordHasher()


def _make_dummy_hash() -> str:
    """Return a hash that no password has. Checking a password against it takes as long as against any other."""
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    salt, result = (b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (_hasher.salt_len, _hasher.hash_len))
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${result}"


# Verified if there is no account, so that an unknown address takes as long as a wrong password. Made without hashing:
# that would slow down the start of every process.
_DUMMY_HASH = _make_dummy_hash()

_STORED = select(Account.id, Account.password_hash, Account.is_active).where(Account.email == bindparam("email"))


@dataclass(frozen=True)
class StoredPassword:
    """What decides whether a password is right. account_id: None if no account has the address."""

    account_id: int | None
    password_hash: str | None
    is_active: bool

    def is_right(self, password: str) -> bool:
        """Check a password. The work is the same if there is no account, or none that may sign in by password."""
        try:
            _hasher.verify(self.password_hash or _DUMMY_HASH, password)
        except (VerificationError, InvalidHashError):
            return False
        return self.password_hash is not None and self.is_active

    def lock(self) -> bool:
        """Lock the account, and return whether it still has this password and may sign in.

        Checking a password takes long. Whatever ends it meanwhile must end what it allows too: it either waits for the
        transaction of whoever was let in, and ends their session, or this finds that the password has ended.
        """
        is_current = (Account.password_hash == self.password_hash) & Account.is_active
        locked = update(Account).where(Account.id == self.account_id, is_current).values(id=Account.id)
        return change_rows(locked) > 0


def load_password(email: str) -> StoredPassword:
    """Load what is stored for an email address in canonical form."""
    found = db.session.execute(_STORED, {"email": email}).one_or_none()
    return StoredPassword(*found) if found else StoredPassword(None, None, is_active=False)


def hash_password(password: str) -> str:
    """Return argon2id's encoded hash."""
    return _hasher.hash(password)
