"""Loads every destination that existed at any time in a period, with what the report says about each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from webapp.audit import Action
from webapp.deliveries.queries import NEWEST_FIRST, is_test_send_of
from webapp.evidence.counts import CountedSpan, Counts, PeriodCounts
from webapp.evidence.delivery_spans import IS_TEST, Span
from webapp.evidence.disabled_periods import NO_SWITCHES, DisabledSpell, find_disabled_spells, load_switches
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, Receipt
from webapp.models.inline_value import inline

# Ids of one query.
ID_PAGE = 1_000

_NO_RECEIPT = datetime.min.replace(tzinfo=UTC), 0


@dataclass(frozen=True)
class DestinationRecord:
    """A destination that existed in the period.

    added, deleted: the events; None if they are not recorded, and if it is not deleted.
    was_added, was_deleted: whether that happened in the period. disabled: when it was disabled in the period.
    last_test: its newest test of the period. last_receipt: that with the newest receipt.
    next_accepted_at: when its first accepted test after the period was requested.
    """

    destination: AlertDestination
    counts: Counts
    added: AuditEvent | None
    deleted: AuditEvent | None
    was_added: bool
    was_deleted: bool
    disabled: Sequence[DisabledSpell]
    last_test: AlertDelivery | None
    last_receipt: AlertDelivery | None
    next_accepted_at: datetime | None

    def is_disabled_at_end(self, period: Period) -> bool:
        """Return whether it was there and disabled when the period ended."""
        last = self.disabled[-1].ended if self.disabled else None
        return bool(self.disabled) and not self.was_deleted and (last is None or last.happened_at >= period.ends_at)


def load_destination_records(
    workspace_id: int, period: Period, counted: PeriodCounts, unconfirmed: Mapping[int, int]
) -> list[DestinationRecord]:
    """Return the destinations that existed in it, in the order of names. unconfirmed: see `find_unconfirmed`."""
    rows = db.session.execute(_select_destinations(workspace_id, period)).all()
    counts = counted.by_destination
    switches = load_switches(workspace_id, period)
    added, deleted = (_load_events(workspace_id, action) for action in (Action.ADDED, Action.DELETED))
    receipts = _load_receipts(counted.spans)
    records = [
        DestinationRecord(
            destination,
            replace(counts.get(destination.id, Counts()), unconfirmed=int(destination.id in unconfirmed)),
            added.get(destination.id),
            deleted.get(destination.id),
            destination.created_at >= period.begins_at,
            destination.deleted_at is not None and destination.deleted_at < period.ends_at,
            find_disabled_spells(
                destination, switches.get(destination.id, NO_SWITCHES), deleted.get(destination.id), period
            ),
            last_test,
            receipts.get(destination.id),
            next_accepted_at,
        )
        for destination, last_test, next_accepted_at in rows
    ]
    return sorted(records, key=lambda record: (record.destination.name.casefold(), record.destination.id))


def existed_in(workspace_id: int, period: Period) -> ColumnElement[bool]:
    """Return the condition for the destinations that existed in the period."""
    return and_(
        AlertDestination.workspace_id == workspace_id,
        AlertDestination.created_at < period.ends_at,
        or_(AlertDestination.deleted_at.is_(None), AlertDestination.deleted_at >= period.begins_at),
    )


def _select_destinations(workspace_id: int, period: Period) -> Select[AlertDestination, AlertDelivery, datetime]:
    # Both databases read the index of accepted deliveries, not all tests since the period.
    is_accepted = AlertDelivery.status == inline(DeliveryStatus.SENT)
    own = is_test_send_of(AlertDestination)
    inside = (AlertDelivery.created_at >= period.begins_at) & (AlertDelivery.created_at < period.ends_at)
    last = select(AlertDelivery.id).where(own, inside).order_by(*NEWEST_FIRST).limit(1)
    of_destination = AlertDelivery.alert_destination_id == AlertDestination.id
    is_later = and_(AlertDelivery.event_type == TEST_EVENT, AlertDelivery.created_at >= period.ends_at)
    oldest_first = (AlertDelivery.created_at, AlertDelivery.id)
    accepted = select(AlertDelivery.created_at).where(of_destination, is_accepted, is_later)
    following = accepted.order_by(*oldest_first).limit(1)
    newest = AlertDelivery.id == last.correlate(AlertDestination).scalar_subquery()
    return (
        select(AlertDestination, AlertDelivery, following.correlate(AlertDestination).scalar_subquery())
        .outerjoin(AlertDelivery, newest)
        .where(existed_in(workspace_id, period))
    )


def _load_events(workspace_id: int, action: Action) -> Mapping[int | None, AuditEvent]:
    """Return the newest event of a kind for each destination, by its id."""
    query = select(AuditEvent).where(AuditEvent.workspace_id == workspace_id, AuditEvent.action == action.value)
    events = db.session.scalars(query.order_by(AuditEvent.happened_at, AuditEvent.id))
    return {event.destination_id: event for event in events}


def _load_receipts(spans: Sequence[CountedSpan]) -> Mapping[int, AlertDelivery]:
    """Return the test with the newest receipt of each destination, among the tests of these spans."""
    newest: dict[int, tuple[datetime, int]] = {}
    for counted in spans:
        rows = db.session.execute(_select_receipts(counted.span)) if counted.receipts else ()
        for destination_id, receipt_at, delivery_id in rows:
            newest[destination_id] = max(newest.get(destination_id, _NO_RECEIPT), (receipt_at, delivery_id))
    ids = [delivery_id for _, delivery_id in newest.values()]
    pages = (ids[first : first + ID_PAGE] for first in range(0, len(ids), ID_PAGE))
    found = (db.session.scalars(select(AlertDelivery).where(AlertDelivery.id.in_(page))) for page in pages)
    return {delivery.alert_destination_id: delivery for page in found for delivery in page}


def _select_receipts(span: Span) -> Select[*tuple[Any, ...]]:
    """Return the query for the newest receipt of each destination in a span."""
    columns = (AlertDelivery.alert_destination_id, AlertDelivery.receipt_at, AlertDelivery.id)
    rank = func.row_number().over(
        partition_by=AlertDelivery.alert_destination_id,
        order_by=(AlertDelivery.receipt_at.desc(), AlertDelivery.id.desc()),
    )
    has_receipt = AlertDelivery.receipt.in_(list(Receipt))
    ranked = select(*columns, rank.label("rank")).where(span.contains(), IS_TEST, has_receipt).subquery()
    return select(*ranked.columns[:3]).where(ranked.c.rank == 1)
