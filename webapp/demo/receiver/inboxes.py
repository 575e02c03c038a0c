"""Finds the inbox of a message: there is one for all, or in a public demo one for each visitor, opened by its key."""

import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from pathlib import Path

from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.switches import Switches

# The newest messages that a visitor's inbox keeps. One has 64 KiB at most.
KEPT_FOR_VISITOR = 50

_KEY = re.compile("[a-z2-7]{26}")


def new_key() -> str:
    """Return a key that nobody can guess. It can be a segment of a path, and a label of a domain."""
    return b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")


@dataclass(frozen=True)
class Inboxes:
    """path: the file of the only inbox; or, if `has_keys`, the folder with the file of each visitor's inbox."""

    path: Path
    has_keys: bool = False

    def prepare(self) -> None:
        """Create the folder, or the file of the only inbox, readable by its owner only."""
        if self.has_keys:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            Inbox(self.path).prepare()

    def find(self, key: str | None) -> Inbox | None:
        """Return the inbox with this key, or the only one, which has none. None if there is no such inbox (any more).

        key: whatever a sender wrote there.
        """
        if not self.has_keys:
            return Inbox(self.path) if key is None else None
        inbox = self.get(key) if key is not None and _KEY.fullmatch(key) else None
        return inbox if inbox and inbox.exists() else None

    def get(self, key: str) -> Inbox:
        """Return the inbox of a visitor, whose key is valid. It is made by its `prepare`, and only by that."""
        return Inbox(self.path / f"{key}.sqlite", KEPT_FOR_VISITOR, is_made_on_demand=False)

    @property
    def host_switches(self) -> Switches | None:
        """The switches of the hosts' certificates. None in a public demo, whose visitors share the hosts."""
        return None if self.has_keys else Inbox(self.path).switches

    def find_for_recipient(self, address: str) -> Inbox | None:
        """Return the inbox of an email address: in a public demo, the first label of the domain is the key."""
        return self.find(address.rpartition("@")[2].partition(".")[0].lower() if self.has_keys else None)
