"""Loads a page of the history: which of its conditions an index serves, and which are checked row by row."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, literal, select

from webapp.database.keyset_pages import PAGE_SIZE, KeysetList, Page
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS, DeliveryRow
from webapp.deliveries.queries import has_reference
from webapp.history.filters import Filter, Kind
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, AlertRule, DeliveryStatus, Tenant
from webapp.text.cursors import Cursor
from webapp.text.references import read_reference
from webapp.time_zones import begin_of_day, end_of_day

_CRITERIA = ("reference", "destination_id", "kind", "code", "status", "channel")

# Drills are found among the tests: there is no index of a workspace's drills.
_TESTS = (Kind.TEST, Kind.DRILL)


class DestinationRow(NamedTuple):
    """What an entry shows of its destination, under the names of `AlertDestination`."""

    id: int
    name: str
    type: str
    deleted_at: datetime | None


class HistoryEntry(NamedTuple):
    """A delivery with its related names. rule, tenant: set for a real alert."""

    delivery: DeliveryRow
    destination: DestinationRow
    rule: str | None
    tenant: str | None


_DESTINATION = tuple(getattr(AlertDestination, name) for name in DestinationRow._fields)


def _make_entry(rule: str | None, tenant: str | None, *columns: Any) -> HistoryEntry:
    count = len(_DESTINATION)
    return HistoryEntry(DeliveryRow._make(columns[count:]), DestinationRow._make(columns[:count]), rule, tenant)


_HISTORY = KeysetList(
    select(AlertRule.name, Tenant.name, *_DESTINATION, *DELIVERY_COLUMNS)
    .select_from(AlertDelivery)
    .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
    .outerjoin(AlertRule, AlertRule.id == AlertDelivery.alert_rule_id)
    .outerjoin(Tenant, Tenant.id == AlertDelivery.tenant_id),
    _make_entry,
    AlertDelivery.created_at,
    AlertDelivery.id,
    lambda entry: Cursor(entry.delivery.created_at, entry.delivery.id),
    is_plain=True,
)


def list_page(
    workspace_id: int, criteria: Filter, before: Cursor | None = None, size: int = PAGE_SIZE
) -> Page[HistoryEntry]:
    """Return the newest deliveries older than a cursor. Executes at most two queries; neither sorts."""
    by_index, by_row = _split_conditions(criteria)
    return _HISTORY.fetch_page(
        [*_range(workspace_id, criteria), *(_condition(name, criteria) for name in by_index)],
        [*(_condition(name, criteria) for name in by_row), *_list_drill_conditions(criteria)],
        before,
        size,
    )


def _split_conditions(criteria: Filter) -> tuple[set[str], set[str]]:
    """Split the conditions: those that one index serves in cursor order, and those that need a check of each row."""
    active = {name for name in _CRITERIA if getattr(criteria, name)}
    by_index = _choose_index(criteria, active)
    return by_index, active - by_index


def _choose_index(criteria: Filter, active: set[str]) -> set[str]:
    """Return the conditions of the index with the fewest rows: most deliveries are tests, and most were sent."""
    tests = {"kind"} if criteria.kind in _TESTS else set()
    if "reference" in active:
        return {"reference"}
    if "destination_id" in active:
        return {"destination_id"} | tests
    if "code" in active:
        return {"code"}
    if "status" in active and criteria.status is not DeliveryStatus.SENT:
        return {"status"}
    return tests or {"status"} & active


def _list_drill_conditions(criteria: Filter) -> list[ColumnElement[bool]]:
    return [AlertDelivery.drill.is_not(None)] if criteria.kind is Kind.DRILL else []


def _range(workspace_id: int, criteria: Filter) -> Iterator[ColumnElement[bool]]:
    yield AlertDelivery.workspace_id == workspace_id
    if criteria.since is not None:
        yield AlertDelivery.created_at >= begin_of_day(criteria.since, criteria.zone)
    if criteria.until is not None:
        yield AlertDelivery.created_at < end_of_day(criteria.until, criteria.zone)


def _condition(name: str, criteria: Filter) -> ColumnElement[bool]:
    match name:
        case "destination_id":
            return AlertDelivery.alert_destination_id == criteria.destination_id
        case "kind" if criteria.kind in _TESTS:
            # A literal, not a bound parameter, so that both databases can choose the partial index.
            return AlertDelivery.event_type == literal(TEST_EVENT, literal_execute=True)
        case "kind":
            return AlertDelivery.event_type != TEST_EVENT
        case "reference":
            return has_reference(read_reference(criteria.reference or "") or [criteria.reference or ""])
        case "code":
            return AlertDelivery.last_error_code == criteria.code
        case "status":
            return AlertDelivery.status == criteria.status
    return AlertDestination.type == criteria.channel
