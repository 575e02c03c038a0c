"""The state of the reference model: destinations, expected test sends, and snapshots of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ReceiverResponse(StrEnum):
    """What the receiver does with a message. Every response but `BUSY` may mean that the message arrived."""

    ACCEPT = "accept"
    BUSY = "busy"
    REFUSE = "refuse"
    SILENT = "silent"


CODES = {
    ReceiverResponse.BUSY: "remote_unavailable",
    ReceiverResponse.REFUSE: "not_found",
    ReceiverResponse.SILENT: "read_timeout",
}

PENDING_STATES = {"waiting", "sending", "deferred"}


@dataclass
class ModelDestination:
    """A destination."""

    id: int
    version: int = 1
    is_enabled: bool = True
    is_deleted: bool = False


@dataclass
class ExpectedSend:
    """One test send. changes: how often its state changed, so that an outdated decision can be recognized."""

    id: int
    destination: ModelDestination
    version: int
    pressed_at: datetime
    updated_at: datetime
    state: str = "waiting"
    attempts: int = 0
    past_codes: tuple[str | None, ...] = ()
    code: str | None = None
    started_at: datetime | None = None
    send_after: datetime | None = None
    sent_at: datetime | None = None
    changes: int = 0

    @property
    def row(self) -> dict[str, Any]:
        """The values that the row must hold."""
        status = "queued" if self.state in ("waiting", "sending") else self.state
        columns = ("attempts", "past_codes", "code", "started_at", "send_after", "sent_at", "updated_at")
        return {"status": status} | {column: getattr(self, column) for column in columns}

    @property
    def badge(self) -> tuple[str, datetime | None]:
        """The badge, and the time beside it, that must be shown if this is the newest test send."""
        if self.state in PENDING_STATES:
            return "pending", self.send_after or self.pressed_at
        return ("sent", self.sent_at) if self.state == "sent" else ("failed", self.updated_at)


@dataclass(frozen=True)
class ClaimSnapshot:
    """What a worker read before it claims. obstacle: the code with which the row is to be canceled instead."""

    seen: ExpectedSend
    destination: ModelDestination
    at: datetime
    obstacle: str | None


@dataclass(frozen=True)
class RecoveryDecision:
    """What a recovery pass has decided about a row."""

    seen: ExpectedSend
    name: str
