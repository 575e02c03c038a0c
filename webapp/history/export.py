"""The history as CSV (RFC 4180), written block by block."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from webapp.channels import CHANNELS
from webapp.deliveries.outcome import describe_outcome
from webapp.extensions import db
from webapp.history.filters import Filter, Key, Kind
from webapp.history.listing import Entry, list_page
from webapp.models import TEST_EVENT

MOST_ROWS = 100_000
"""Rows of one file."""

BLOCK = 1_000
"""Rows fetched in one go."""

HEADER = (
    "created_at",
    "kind",
    "event_type",
    "rule",
    "tenant",
    "destination_id",
    "destination",
    "channel",
    "status",
    "sent_at",
    "updated_at",
    "code",
    "what_happened",
    "attempts",
    "answer_status",
    "answer_seconds",
    "reference",
    "requested_by",
)

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet takes a text for a formula by (https://owasp.org/www-community/attacks/CSV_Injection)."""


def write_csv(workspace_id: int, wanted: Filter, most: int = MOST_ROWS) -> Iterator[str]:
    """Write a header and the newest deliveries; a last line says so if there were more than `most`."""
    yield _to_lines([HEADER])
    before: Key | None = None
    left = most
    while True:
        page = list_page(workspace_id, wanted, before, min(BLOCK, left))
        lines = _to_lines(_to_cells(entry) for entry in page.entries)
        db.session.rollback()  # nothing is held while the visitor's browser takes its time
        yield lines
        before, left = page.older, left - len(page.entries)
        if before is None:
            return
        if not left:
            yield _to_lines([[f"Cut after {most} rows: narrow the filter to get the others."]])
            return


def _to_cells(entry: Entry) -> list[object]:
    delivery, destination = entry.delivery, entry.destination
    channel = CHANNELS.get(destination.type)
    return [
        _to_text(delivery.created_at),
        Kind.TEST if delivery.event_type == TEST_EVENT else Kind.REAL,
        delivery.event_type,
        entry.rule,
        entry.tenant,
        destination.id,
        destination.name,
        channel.label if channel else destination.type,
        delivery.status,
        _to_text(delivery.sent_at),
        _to_text(delivery.updated_at),
        delivery.last_error_code,
        describe_outcome(delivery, destination.type).sentence,
        delivery.attempt_count,
        delivery.answer_status,
        delivery.answer_seconds,
        delivery.reference,
        entry.presser,
    ]


def _to_lines(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_defuse(cell) for cell in row] for row in rows)
    return text.getvalue()


def _defuse(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would calculate."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA) else cell


def _to_text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
