"""Exports the history as CSV."""

from collections.abc import Iterator
from functools import partial

from webapp.channels import describe_channel
from webapp.database.driver_rows import DriverRow
from webapp.deliveries.badge import describe_outcome
from webapp.extensions import db
from webapp.history.filter_parsing import DeliveryFilter, DeliveryKind
from webapp.history.listing import list_page, read_entry
from webapp.models import TEST_EVENT
from webapp.text import csv_export
from webapp.text.csv_export import MAX_ROWS, format_moment

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
    "drill",
)


def write_csv(workspace_id: int, criteria: DeliveryFilter, max_rows: int = MAX_ROWS) -> Iterator[str]:
    """Yield a header and the newest deliveries as CSV text. A last line states if more than `max_rows` matched."""
    list_block = partial(list_page, workspace_id, criteria)
    return csv_export.write_csv(HEADER, list_block, _to_cells, db.session.rollback, max_rows)


def _to_cells(row: DriverRow) -> list[object]:
    entry = read_entry(row)
    delivery, destination = entry.delivery, entry.destination
    return [
        format_moment(delivery.created_at),
        DeliveryKind.TEST if delivery.event_type == TEST_EVENT else DeliveryKind.REAL,
        delivery.event_type,
        entry.rule,
        entry.tenant,
        destination.id,
        destination.name,
        describe_channel(destination.type),
        delivery.status,
        format_moment(delivery.sent_at),
        format_moment(delivery.updated_at),
        delivery.last_error_code,
        describe_outcome(delivery, destination.type).sentence,
        delivery.attempt_count,
        delivery.answer_status,
        delivery.answer_seconds,
        delivery.reference,
        delivery.requester,
        "yes" if delivery.by_customer_link else None,
        delivery.receipt,
        format_moment(delivery.receipt_at),
        delivery.receipt_by,
        delivery.receipt_source,
        delivery.receipt_recorded_by,
        delivery.drill,
    ]
