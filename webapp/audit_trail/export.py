"""Exports the audit trail as CSV."""

from collections.abc import Iterator
from functools import partial

from webapp.audit_trail.filters import AuditFilter
from webapp.audit_trail.listing import AuditEntry, Trail, list_page
from webapp.extensions import db
from webapp.text import csv_export
from webapp.text.csv_export import MAX_ROWS, format_moment

# In this order for good: new columns come last. docs/audit.md describes each.
HEADER = (
    "happened_at",
    "workspace",
    "account_id",
    "who",
    "action",
    "details",
    "subject",
    "destination_id",
    "result",
)


def write_csv(trail: Trail, criteria: AuditFilter, max_rows: int = MAX_ROWS) -> Iterator[str]:
    """Yield a header and the newest events as CSV text. A last line states if more than `max_rows` matched."""
    list_block = partial(list_page, trail, criteria)
    return csv_export.write_csv(HEADER, list_block, _to_cells, db.session.rollback, max_rows)


def _to_cells(entry: AuditEntry) -> list[object]:
    event = entry.event
    return [
        format_moment(event.happened_at),
        entry.workspace.slug if entry.workspace else event.workspace_id,
        event.account_id,
        event.account_name,
        event.action,
        ", ".join(event.changed),
        event.subject,
        event.destination_id,
        event.result,
    ]
