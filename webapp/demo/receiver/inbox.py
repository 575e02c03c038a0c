"""What reached the demo's far ends, kept in one small SQLite file that the receiver writes and the dashboard reads."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from webapp.demo.receiver.scenarios import Service

KEPT = 500
LOCK_WAIT_SECONDS = 5

# AUTOINCREMENT: an id is never used again after clearing, so the newest id tells whether anything changed.
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
    """A message as it reached a far end. Never holds the path or query it was sent to: they carry the sender's secret.

    scenario: how the far end behaved, a `Scenario` or (e-mail) a `Mailbox`.
    answered: the HTTP status or SMTP reply code, 0 where no answer was given.
    reference: the short code the sender put into the message, or None.
    headers: those worth showing, names in lower case; for e-mail the envelope's sender as `mail-from`.
    body: the body as text; for e-mail the whole MIME message.
    signature_ok: None where there was nothing to check, or nothing to check it with.
    recipients: the envelope's recipients (e-mail only).
    """

    service: Service
    scenario: str
    answered: int
    accepted: bool
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    signature_ok: bool | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Received(Arrival):
    """An arrival as the inbox keeps it. `received_at` is in UTC."""

    id: int
    received_at: datetime


class Inbox:
    """The newest `KEPT` messages. A file that doesn't exist yet reads as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        """Create the file, readable by its owner alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._open() as database:
            database.execute("PRAGMA journal_mode = WAL")

    def add(self, arrival: Arrival, received_at: datetime) -> None:
        """Keep one message and forget the oldest beyond `KEPT`."""
        if not self._path.exists():
            self.prepare()
        with self._open() as database:
            database.execute(
                "INSERT INTO messages (received_at, reference, arrival) VALUES (?, ?, ?)",
                (received_at.isoformat(), arrival.reference, json.dumps(asdict(arrival))),
            )
            database.execute("DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - ?", (KEPT,))

    def list_newest(self, limit: int = KEPT) -> list[Received]:
        """Return at most `limit` messages, newest first."""
        return self._read("SELECT * FROM messages ORDER BY id DESC LIMIT ?", limit)

    def find(self, message_id: int) -> Received | None:
        """Return the message with that id."""
        return next(iter(self._read("SELECT * FROM messages WHERE id = ?", message_id)), None)

    def find_by_reference(self, reference: str) -> list[Received]:
        """Return every attempt of the message with that reference code, newest first."""
        return self._read("SELECT * FROM messages WHERE reference = ? ORDER BY id DESC", reference)

    def newest_id(self) -> int:
        """Return the id of the newest message, 0 if there is none."""
        return next((received.id for received in self.list_newest(1)), 0)

    def clear(self) -> None:
        """Forget every message."""
        if self._path.exists():
            with self._open() as database:
                database.execute("DELETE FROM messages")

    def _read(self, query: str, parameter: int | str) -> list[Received]:
        if not self._path.exists():
            return []
        with self._open() as database:
            return [_received(row) for row in database.execute(query, (parameter,))]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # A connection per use: the receiver answers from many threads, and an SQLite connection belongs to one.
        with closing(sqlite3.connect(self._path, timeout=LOCK_WAIT_SECONDS)) as database, database:
            database.row_factory = sqlite3.Row
            database.execute(_SCHEMA)
            yield database


def _received(row: sqlite3.Row) -> Received:
    kept = json.loads(row["arrival"])
    kept |= {"service": Service(kept["service"]), "recipients": tuple(kept["recipients"])}
    return Received(id=row["id"], received_at=datetime.fromisoformat(row["received_at"]), **kept)
