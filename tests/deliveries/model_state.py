"""What the ledger is kept in: destinations, test sends, and what was seen of them at some moment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Answer(StrEnum):
    """What the far end does with a message. All but `BUSY` may have delivered it."""

    ACCEPT = "accept"
    BUSY = "busy"
    REFUSE = "refuse"
    SILENT = "silent"


CODES = {Answer.BUSY: "remote_unavailable", Answer.REFUSE: "not_found", Answer.SILENT: "read_timeout"}

OPEN = {"waiting", "sending", "deferred"}


@dataclass
class Place:
    """A destination."""

    id: int
    version: int = 1
    is_enabled: bool = True
    is_deleted: bool = False


@dataclass
class Entry:
    """One test send. turns: how often it changed, so that what was decided before the last time comes too late."""

    id: int
    place: Place
    version: int
    pressed_at: datetime
    touched_at: datetime
    stands: str = "waiting"
    attempts: int = 0
    past: tuple[str | None, ...] = ()
    code: str | None = None
    started_at: datetime | None = None
    send_after: datetime | None = None
    sent_at: datetime | None = None
    turns: int = 0

    @property
    def row(self) -> dict[str, Any]:
        """What the row must say."""
        status = "queued" if self.stands in ("waiting", "sending") else self.stands
        columns = ("attempts", "past", "code", "started_at", "send_after", "sent_at", "touched_at")
        return {"status": status} | {column: getattr(self, column) for column in columns}

    @property
    def badge(self) -> tuple[str, datetime | None]:
        """What the badge must say if this is the newest, and the time beside it."""
        if self.stands in OPEN:
            return "pending", self.send_after or self.pressed_at
        return ("sent", self.sent_at) if self.stands == "sent" else ("failed", self.touched_at)


@dataclass(frozen=True)
class Look:
    """What a worker saw before it claims. obstacle: why the row is to be canceled instead."""

    seen: Entry
    place: Place
    at: datetime
    obstacle: str | None


@dataclass(frozen=True)
class Move:
    """What a recovery pass has decided about a row."""

    seen: Entry
    name: str
