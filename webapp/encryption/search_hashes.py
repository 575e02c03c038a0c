"""Keyed hashes by which a destination is found although its settings are encrypted.

They reveal nothing without the keys that encrypt the settings. The same host has another hash in each workspace, so a
copy of the database does not even show which workspaces have a receiver in common.
"""

import hashlib
import hmac
from collections.abc import Sequence

# Counts the changes of what is hashed. A new number makes the workers hash every destination again.
VERSION = 1

# Hex digits of a hash.
LENGTH = 32


class SearchHashes:
    """Makes the hashes of an installation. keys: those that encrypt the settings, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [hashlib.sha256(b"alertcheck search\0" + key.encode()).digest() for key in keys]
        # What a destination is marked with once its hashes were made with this key.
        self.marks = tuple(f"{VERSION}-{_digest(key, 'mark')}" for key in self._keys)
        # What a destination is marked with if none of the keys decrypts its settings. Other keys might.
        self.unreadable_mark = f"unreadable-{_digest(self._keys[0], *self.marks)}"

    def make(self, kind: str, workspace_id: int, value: str) -> str:
        """Return the hash to store, made with the newest key."""
        return _digest(self._keys[0], kind, str(workspace_id), value)

    def make_all(self, kind: str, workspace_id: int, value: str) -> list[str]:
        """Return the hashes to search for, one for each key: those of an earlier key are replaced one by one."""
        return [_digest(key, kind, str(workspace_id), value) for key in self._keys]


def _digest(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\0".join(parts).encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:LENGTH]
