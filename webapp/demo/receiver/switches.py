"""What the presenter switched: places at the receiver that behave otherwise than their addresses select.

A place is one address, one recipient, or one host (which has a certificate). The file holds no address: its path and
query are secret.
"""

import hashlib
import re
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from webapp.demo.receiver.receiver_file import open_file

_SCHEMA = "CREATE TABLE IF NOT EXISTS switches (place TEXT PRIMARY KEY, outcome TEXT NOT NULL)"

# What makes an address a place of its own, if it is in the query. Channels add parameters to some addresses.
_MARK = re.compile("(?:^|&)((?:sig|token)=[^&]*)")

Outcome = TypeVar("Outcome", bound=StrEnum)


def name_path(path: str) -> str:
    """Return the place of an address, given its path and query as they are sent."""
    bare, _, query = path.partition("?")
    mark = _MARK.search(query)
    return _name("path", f"{bare}?{mark[1]}" if mark else bare)


def name_recipient(address: str) -> str:
    """Return the place of a recipient of email."""
    return _name("recipient", address.strip().casefold())


def name_host(host: str) -> str:
    """Return the place of a host, whose certificate all its addresses share."""
    return _name("host", host.casefold())


def _name(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode(errors="replace")).hexdigest()


class Switches:
    """The switched places. A file that does not exist counts as empty.

    is_made_on_demand: whether a switch may create the file. If not, one in a file that was deleted has no effect.
    """

    def __init__(self, path: Path, is_made_on_demand: bool = True) -> None:
        self._path, self._is_made_on_demand = path, is_made_on_demand

    def set(self, place: str, outcome: StrEnum) -> None:
        """Let a place behave like this until it is reset."""
        if not self._path.exists():
            if not self._is_made_on_demand:
                return
            self._path.touch(mode=0o600)
        with open_file(self._path, _SCHEMA) as database:
            database.execute("INSERT OR REPLACE INTO switches VALUES (?, ?)", (place, outcome.value))

    def reset(self, place: str) -> None:
        """Let a place behave as its address selects again."""
        if self._path.exists():
            with open_file(self._path, _SCHEMA) as database:
                database.execute("DELETE FROM switches WHERE place = ?", (place,))

    def clear(self) -> None:
        """Reset every place."""
        if self._path.exists():
            with open_file(self._path, _SCHEMA) as database:
                database.execute("DELETE FROM switches")

    def list_all(self) -> dict[str, str]:
        """Return the outcome of every switched place."""
        if not self._path.exists():
            return {}
        with open_file(self._path, _SCHEMA) as database:
            return {row["place"]: row["outcome"] for row in database.execute("SELECT place, outcome FROM switches")}

    def find(self, place: str, outcomes: type[Outcome]) -> Outcome | None:
        """Return the outcome that this place was switched to, or None."""
        outcome = self.list_all().get(place)
        return outcomes(outcome) if outcome in list(outcomes) else None
