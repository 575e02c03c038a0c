"""Parses the history's filter from URL query parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from enum import StrEnum

from webapp.models import DeliveryStatus
from webapp.text.cursors import parse_day
from webapp.text.references import read_reference


class DeliveryKind(StrEnum):
    """Kinds of deliveries: test sends, those of drills alone, and real alerts."""

    TEST = "test"
    DRILL = "drill"
    REAL = "real"


@dataclass(frozen=True)
class DeliveryFilter:
    """Criteria for deliveries. None means no restriction. since, until: days in a zone, inclusive."""

    destination_id: int | None = None
    kind: DeliveryKind | None = None
    status: DeliveryStatus | None = None
    code: str | None = None
    channel: str | None = None
    reference: str | None = None
    since: date | None = None
    until: date | None = None
    zone: tzinfo = UTC

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the URL query parameters for this filter, with `changed` applied and None left out."""
        parameters: dict[str, object] = {"destination": self.destination_id, "kind": self.kind, "status": self.status}
        parameters |= {"code": self.code, "channel": self.channel}
        parameters |= {"reference": self.reference, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in (parameters | changed).items() if value is not None}

    @property
    def has_outcome(self) -> bool:
        """Whether the filter restricts what became of the deliveries."""
        return self.status is not None or self.code is not None

    @property
    def has_criteria(self) -> bool:
        """Whether the filter restricts the history of its destination or workspace."""
        return bool(self.as_query(destination=None))


def parse_filter(
    query: Mapping[str, str], destination_id: int | None = None, zone: tzinfo | None = None
) -> DeliveryFilter:
    """Parse a filter from URL query parameters. An invalid value counts as unset.

    zone: that of the filter's days; None for UTC.
    """
    kind, status = query.get("kind", ""), query.get("status", "")
    return DeliveryFilter(
        destination_id=destination_id,
        kind=DeliveryKind(kind) if kind in list(DeliveryKind) else None,
        status=DeliveryStatus(status) if status in list(DeliveryStatus) else None,
        code=_parse_word(query.get("code", "")),
        channel=_parse_word(query.get("channel", "")),
        reference=_parse_reference(query.get("reference", "")),
        since=parse_day(query.get("since", "")),
        until=parse_day(query.get("until", "")),
        zone=zone or UTC,
    )


def _parse_word(text: str) -> str | None:
    # Any word, because real alerts may have codes of other programs; printable, because PostgreSQL rejects NUL.
    return text if text and text.isprintable() and len(text) <= 50 else None


def _parse_reference(text: str) -> str | None:
    # A text that cannot be a reference stays: it matches nothing, and the page shows why.
    spellings = read_reference(text)
    return spellings[0] if spellings else _parse_word(text.strip())
