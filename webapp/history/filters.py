"""Which deliveries a visitor wants to see, and from where on, as the page's address says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from webapp.models import DeliveryStatus
from webapp.models.types import LARGEST_ID

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Kind(StrEnum):
    """What a delivery was sent for."""

    TEST = "test"
    REAL = "real"


@dataclass(frozen=True)
class Filter:
    """What the visitor wants to see. None: everything. since, until: whole days in UTC, both included."""

    destination_id: int | None = None
    kind: Kind | None = None
    status: DeliveryStatus | None = None
    code: str | None = None
    channel: str | None = None
    since: date | None = None
    until: date | None = None

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the query of the page's address that chooses this, without what needs no saying."""
        chosen: dict[str, object] = {"destination": self.destination_id, "kind": self.kind, "status": self.status}
        chosen |= {"code": self.code, "channel": self.channel, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in (chosen | changed).items() if value is not None}

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out of a destination's or a workspace's history."""
        return bool(self.as_query(destination=None))


@dataclass(frozen=True)
class Key:
    """The place of a delivery in the history."""

    created_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.created_at.astimezone(UTC).strftime(_MOMENT)}_{self.id}"


def read_filter(query: Mapping[str, str], destination_id: int | None = None) -> Filter:
    """Read a filter from the page's address; a word that means nothing chooses nothing."""
    kind, status = query.get("kind", ""), query.get("status", "")
    return Filter(
        destination_id=destination_id,
        kind=Kind(kind) if kind in list(Kind) else None,
        status=DeliveryStatus(status) if status in list(DeliveryStatus) else None,
        code=_read_word(query.get("code", "")),
        channel=_read_word(query.get("channel", "")),
        since=_read_day(query.get("since", "")),
        until=_read_day(query.get("until", "")),
    )


def read_key(text: str) -> Key | None:
    """Read the place from which the page's address goes on, or None if it names none."""
    moment, _, number = text.rpartition("_")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    try:
        created_at = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Key(created_at, min(int(number), LARGEST_ID)) if is_number else None


def _read_word(text: str) -> str | None:
    # Real alerts may carry codes of other programs. PostgreSQL cannot even look for NUL.
    return text if text and text.isprintable() and len(text) <= 50 else None


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if str(day) == text else None
