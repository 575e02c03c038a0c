"""Exports the history as CSV (RFC 4180), block by block."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from webapp.channels import CHANNELS
from webapp.deliveries.outcome import describe_outcome
from webapp.extensions import db
from webapp.history.filters import Cursor, Filter, Kind
from webapp.history.listing import HistoryEntry, list_page
from webapp.models import TEST_EVENT
from webapp.text.names import clean_name

# Rows per file.
MAX_ROWS = 100_000

# Rows per query.
BLOCK_SIZE = 1_000

# In this order for good: new columns come last. docs/csv.md describes each.
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
    "by_customer_link",
    "receipt",
    "receipt_at",
    "receipt_by",
    "receipt_source",
    "receipt_recorded_by",
)

# Without it, Excel reads the file in the encoding of its country.
BYTE_ORDER_MARK = "\ufeff"

# Where a spreadsheet starts a cell, and the characters by which it recognizes a formula there. Excel splits lines at
# the list separator of its country, also inside our quotation marks.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""((?:^|[;,|\t\r\n])[\s"']*)(?=[=+\-@＝＋－＠])""")


def write_csv(workspace_id: int, criteria: Filter, max_rows: int = MAX_ROWS) -> Iterator[str]:
    """Yield a header and the newest deliveries as CSV text. A last line states if more than `max_rows` matched."""
    yield BYTE_ORDER_MARK + _to_lines([HEADER])
    before: Cursor | None = None
    left = max_rows
    while True:
        page = list_page(workspace_id, criteria, before, min(BLOCK_SIZE, left))
        lines = _to_lines(_to_cells(entry) for entry in page.entries)
        db.session.rollback()  # holds no connection while a slow browser reads
        yield lines
        before, left = page.older, left - len(page.entries)
        if before is None:
            return
        if not left:
            yield _to_lines([[f"The export stops after {max_rows} rows. Narrow the filter to export the others."]])
            return


def _to_cells(entry: HistoryEntry) -> list[object]:
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
        entry.requested_by,
        "yes" if delivery.by_customer_link else None,
        delivery.receipt,
        _to_text(delivery.receipt_at),
        delivery.receipt_by,
        delivery.receipt_source,
        delivery.receipt_recorded_by,
    ]


def _to_lines(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_escape_formulas(cell) for cell in row] for row in rows)
    return text.getvalue()


def _escape_formulas(cell: object) -> object:
    """Return a text on one line, with an apostrophe before each formula that a spreadsheet would evaluate."""
    return _FORMULA.sub(r"\1'", clean_name(cell)) if isinstance(cell, str) else cell


def _to_text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
