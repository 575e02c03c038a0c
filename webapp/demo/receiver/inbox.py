"""Keeps the demo receiver's messages in a SQLite file, which the receiver writes and the web process reads."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from webapp.demo.receiver.receiver_file import open_file
from webapp.demo.receiver.scenarios import Service
from webapp.demo.receiver.switches import Switches

KEPT = 500

# AUTOINCREMENT never reuses an id, even after clearing, so a new newest id means that the inbox has changed.
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at TEXT NOT NULL,
        reference TEXT,
        arrival TEXT NOT NULL
    )
"""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A message that reached the receiver, without its path and query: they contain the sender's secret.

    scenario: the receiver's behavior, a `Scenario` or (email) a `Mailbox`.
    answered: the HTTP status or SMTP reply code; 0 if there was no response.
    reference: the short code that the sender put into the message, or None.
    method: the method of an HTTP request.
    headers: the headers to show, names in lower case; for email the envelope's sender as `mail-from`.
    body: the body as text, without the secrets in it; for email the whole MIME message.
    signature_ok: None if the service signs nothing, or if there is no secret to check the signature with.
    recipients: the envelope's recipients (email only).
    closed: the key of the alert that the request closes, if its path names it.
    """

    service: Service
    scenario: str
    answered: int
    accepted: bool
    reference: str | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    signature_ok: bool | None = None
    recipients: tuple[str, ...] = ()
    closed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Received(Arrival):
    """An arrival in the inbox. `received_at` is in UTC."""

    id: int
    received_at: datetime


@dataclass(frozen=True)
class Inbox:
    """The newest messages, and the switches of the receiver, in a file. A file that does not exist counts as empty.

    kept: how many messages. is_made_on_demand: whether a message or a switch may create the file. If not, one for an
    inbox that was deleted is dropped.
    """

    path: Path
    kept: int = KEPT
    is_made_on_demand: bool = True

    @property
    def switches(self) -> Switches:
        """The switches of the receiver, in the same file."""
        return Switches(self.path, self.is_made_on_demand)

    def exists(self) -> bool:
        """Return whether the file exists."""
        return self.path.exists()

    def prepare(self) -> None:
        """Create the file, readable by its owner only."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        with self._open() as database:
            database.execute("PRAGMA journal_mode = WAL")

    def add(self, arrival: Arrival, received_at: datetime) -> None:
        """Add a message and delete the oldest ones beyond those that are kept."""
        if not self.exists():
            if not self.is_made_on_demand:
                return
            self.prepare()
        with self._open() as database:
            database.execute(
                "INSERT INTO messages (received_at, reference, arrival) VALUES (?, ?, ?)",
                (received_at.isoformat(), arrival.reference, json.dumps(asdict(arrival))),
            )
            database.execute("DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - ?", (self.kept,))

    def list_newest(self, limit: int = KEPT) -> list[Received]:
        """Return at most `limit` messages, newest first."""
        return self._read("SELECT * FROM messages ORDER BY id DESC LIMIT ?", limit)

    def find(self, message_id: int) -> Received | None:
        """Return the message with this id, or None."""
        return next(iter(self._read("SELECT * FROM messages WHERE id = ?", message_id)), None)

    def find_by_reference(self, reference: str) -> list[Received]:
        """Return all attempts of the message with this reference code, newest first."""
        return self._read("SELECT * FROM messages WHERE reference = ? ORDER BY id DESC", reference)

    def newest_id(self) -> int:
        """Return the id of the newest message, or 0 if there is none."""
        return next((received.id for received in self.list_newest(1)), 0)

    def clear(self) -> None:
        """Delete every message."""
        if self.exists():
            with self._open() as database:
                database.execute("DELETE FROM messages")

    def delete(self) -> None:
        """Delete the file, and what SQLite keeps beside it."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)

    def _read(self, query: str, parameter: int | str) -> list[Received]:
        if not self.exists():
            return []
        with self._open() as database:
            return [_to_received(row) for row in database.execute(query, (parameter,))]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with open_file(self.path, _SCHEMA) as database:
            yield database


def _to_received(row: sqlite3.Row) -> Received:
    kept = json.loads(row["arrival"])
    kept |= {"service": Service(kept["service"]), "recipients": tuple(kept["recipients"])}
    return Received(id=row["id"], received_at=datetime.fromisoformat(row["received_at"]), **kept)
