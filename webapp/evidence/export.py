"""Exports a report as CSV: one file with a row for each destination, one with a row for each test."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from webapp.audit import Action
from webapp.channels import describe_channel
from webapp.database.keyset_pages import KeysetPage
from webapp.deliveries.arrival import is_uncertain
from webapp.deliveries.badge import describe_outcome
from webapp.evidence.counts import COUNTED
from webapp.evidence.destinations_in_period import DestinationRecord
from webapp.evidence.follow_ups import Change, FollowUps
from webapp.evidence.period import Period
from webapp.evidence.problem_tests import RecordedTest, list_tests
from webapp.evidence.report import Report
from webapp.evidence.unconfirmed import find_unconfirmed
from webapp.extensions import db
from webapp.models import AlertDestination, AuditEvent
from webapp.text import csv_export
from webapp.text.csv_export import format_moment

# Rows of the file of tests: about the most that a spreadsheet can open.
MAX_TESTS = 1_000_000

# In this order for good: new columns come last. docs/evidence.md describes each.
DESTINATIONS_HEADER = (
    *("destination_id", "destination", "channel", "added_at", "added_by", "deleted_at", "deleted_by"),
    *("times_disabled", "is_disabled_at_end", "needs_confirmation", "tests", *COUNTED),
    *("last_test_at", "last_test_status", "last_test_code"),
    *("receipt", "receipt_at", "receipt_by", "receipt_source", "receipt_recorded_by", "next_accepted_at"),
    *("period_from", "period_to", "period_begins_at", "period_ends_at", "made_at", "incomplete"),
)
TESTS_HEADER = (
    *("requested_at", "destination_id", "destination", "channel", "drill", "requested_by", "by_customer_link"),
    *("status", "completed_at", "code", "what_happened", "may_have_arrived", "reference"),
    *("receipt", "receipt_at", "receipt_by", "receipt_source", "receipt_recorded_by"),
    *("problem", "next_change_at", "next_change", "next_change_by", "next_accepted_at", "next_seen_at"),
)


def write_destinations(report: Report) -> Iterator[str]:
    """Yield a header and the destinations of a report as CSV text."""
    page = KeysetPage(report.destinations, None)
    to_cells = partial(_to_destination_cells, report)
    return csv_export.write_csv(DESTINATIONS_HEADER, lambda _before, _size: page, to_cells, lambda: None, 10**9)


def write_tests(workspace_id: int, period: Period, now: datetime, max_rows: int = MAX_TESTS) -> Iterator[str]:
    """Yield a header and the tests of a period as CSV text, newest first. A last line states if there are more."""
    unconfirmed = set(find_unconfirmed(workspace_id, period, now).values())
    list_block = partial(list_tests, workspace_id, period, unconfirmed, FollowUps(workspace_id))
    return csv_export.write_csv(TESTS_HEADER, list_block, _to_test_cells, db.session.rollback, max_rows)


def _to_destination_cells(report: Report, record: DestinationRecord) -> list[object]:
    destination, counts, last, receipt = record.destination, record.counts, record.last_test, record.last_receipt
    return [
        *_name(destination),
        format_moment(destination.created_at),
        _who(record.added),
        format_moment(destination.deleted_at),
        _who(record.deleted),
        len(record.disabled),
        _yes(record.is_disabled_at_end(report.period)),
        _yes(destination.needs_confirmation),
        counts.tests,
        *(getattr(counts, name) for name in COUNTED),
        *((format_moment(last.created_at), last.status, last.last_error_code) if last else (None,) * 3),
        receipt and receipt.receipt,
        format_moment(receipt.receipt_at) if receipt else None,
        receipt and receipt.receipt_by,
        receipt and receipt.receipt_source,
        receipt and receipt.receipt_recorded_by,
        format_moment(record.next_accepted_at),
        str(report.period.since),
        str(report.period.until),
        format_moment(report.period.begins_at),
        format_moment(report.period.ends_at),
        format_moment(report.made_at),
        _yes(bool(report.gaps)),
    ]


def _to_test_cells(record: RecordedTest) -> list[object]:
    delivery, change = record.delivery, record.change
    return [
        format_moment(delivery.created_at),
        *_name(record.destination),
        delivery.drill,
        record.requested_by,
        _yes(delivery.by_customer_link),
        delivery.status,
        format_moment(delivery.sent_at or delivery.updated_at),
        delivery.last_error_code,
        describe_outcome(delivery, record.destination.type).sentence,
        _yes(is_uncertain(delivery)),
        delivery.reference,
        delivery.receipt,
        format_moment(delivery.receipt_at),
        delivery.receipt_by,
        delivery.receipt_source,
        delivery.receipt_recorded_by,
        record.problem,
        format_moment(change.happened_at) if change else None,
        describe_change(change) if change else None,
        _who(change),
        format_moment(record.accepted_at),
        format_moment(record.seen_at),
    ]


def describe_change(event: Change) -> str:
    """Describe a change of a destination: what was done, and the names of the settings."""
    details = ", ".join(event.changed)
    return f"{event.action}: {details}" if details and event.action == Action.CHANGED else event.action


def _name(destination: AlertDestination) -> tuple[object, ...]:
    return destination.id, destination.name, describe_channel(destination.type)


def _who(event: AuditEvent | Change | None) -> str | None:
    return event.account_name if event else None


def _yes(holds: bool) -> str | None:
    return "yes" if holds else None
