"""Positions in lists that are ordered by time, as addresses of pages name them, and the days of their filters."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from webapp.text.ids import parse_id

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class Cursor:
    """Position of a row, such as a delivery, in a list: the key of keyset pagination."""

    created_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.created_at.astimezone(UTC).strftime(_MOMENT)}_{self.id}"


def parse_cursor(text: str) -> Cursor | None:
    """Parse a cursor from its text form; None if the text is not a cursor."""
    moment, _, number = text.rpartition("_")
    row_id = parse_id(number)
    try:
        created_at = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Cursor(created_at, row_id) if row_id else None


def parse_day(text: str) -> date | None:
    """Parse a day such as "2026-05-04"; None if the text is not a day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if str(day) == text else None
