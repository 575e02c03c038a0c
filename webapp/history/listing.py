"""Loads a page of the history: which of its conditions an index serves, and which are checked row by row."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, select

from webapp.database.driver_rows import DriverRow, RowReader
from webapp.database.keyset_pages import PAGE_SIZE, KeysetList, KeysetPage, PageStatements
from webapp.deliveries.delivery_rows import DELIVERY_COLUMNS, DeliveryRow
from webapp.deliveries.queries import IS_TEST_SEND, has_reference
from webapp.extensions import db
from webapp.history.filter_parsing import DeliveryFilter, DeliveryKind
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, AlertRule, DeliveryStatus, Tenant
from webapp.text.cursors import Cursor
from webapp.text.references import read_reference
from webapp.time_zones import begin_of_day, end_of_day

_CRITERIA = ("reference", "destination_id", "kind", "code", "status", "channel")

# Drills are found among the tests: there is no index of a workspace's drills.
_TESTS = (DeliveryKind.TEST, DeliveryKind.DRILL)


class ListedDestination(NamedTuple):
    """What an entry shows of its destination, under the names of `AlertDestination`."""

    id: int
    name: str
    type: str
    deleted_at: datetime | None


class HistoryEntry(NamedTuple):
    """A delivery with its related names. rule, tenant: set for a real alert."""

    delivery: DeliveryRow
    destination: ListedDestination
    rule: str | None
    tenant: str | None


_DESTINATION = tuple(getattr(AlertDestination, name) for name in ListedDestination._fields)


_RULE = select(AlertRule.name).where(AlertRule.id == AlertDelivery.alert_rule_id).scalar_subquery()
_TENANT = select(Tenant.name).where(Tenant.id == AlertDelivery.tenant_id).scalar_subquery()

# Begins with the id of the delivery. One join: PostgreSQL plans a statement for each page, and joins take it long.
_QUERY = (
    select(*DELIVERY_COLUMNS, *_DESTINATION, _RULE, _TENANT)
    .select_from(AlertDelivery)
    .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
)
_READER = RowReader(_QUERY)
_STATUS = DeliveryRow._fields.index("status")


def read_entry(row: DriverRow) -> HistoryEntry:
    """Return the entry in a row of a page."""
    columns = list(_READER.read(row, db.engine.dialect))
    count = len(DELIVERY_COLUMNS)
    delivery, destination = DeliveryRow._make(columns[:count]), ListedDestination._make(columns[count:-2])
    return HistoryEntry(delivery, destination, *columns[-2:])


def is_waiting(row: DriverRow) -> bool:
    """Return whether the delivery in a row of a page has not ended."""
    return DeliveryStatus(row[_STATUS]).is_waiting


def _locate(row: DriverRow) -> Cursor:
    delivery = read_entry(row).delivery
    return Cursor(delivery.created_at, delivery.id)


def _keep_row(*row: Any) -> DriverRow:
    return row


_HISTORY = KeysetList(_QUERY, _keep_row, AlertDelivery.created_at, AlertDelivery.id, _locate, is_plain=True)


# Kinds of pages whose statements a process keeps.
CAPACITY = 200


def list_page(
    workspace_id: int, criteria: DeliveryFilter, before: Cursor | None = None, size: int = PAGE_SIZE
) -> KeysetPage[DriverRow]:
    """Return the newest deliveries older than a cursor, for `read_entry`. Each row begins with the delivery's id.

    Executes at most two queries; neither sorts.
    """
    by_index, by_row = _split_conditions(criteria)
    bounds = tuple(name for name in _BOUNDS if getattr(criteria, name) is not None)
    statements = _build(by_index, by_row, bounds, criteria.kind, size, is_older=before is not None)
    return _HISTORY.fetch(statements, _list_values(workspace_id, criteria), before)


@lru_cache(CAPACITY)
def _build(
    by_index: frozenset[str],
    by_row: frozenset[str],
    bounds: tuple[str, ...],
    kind: DeliveryKind | None,
    size: int,
    *,
    is_older: bool,
) -> PageStatements:
    """Build the statements of a page once, because that takes as long as reading its rows."""
    scanned = [_IS_OF_WORKSPACE, *map(_BOUNDS.__getitem__, bounds), *(_condition(name, kind) for name in by_index)]
    checked = [*(_condition(name, kind) for name in by_row), *([_IS_DRILL] if kind is DeliveryKind.DRILL else [])]
    return _HISTORY.build(scanned, checked, size, is_older=is_older)


def _split_conditions(criteria: DeliveryFilter) -> tuple[frozenset[str], frozenset[str]]:
    """Split the conditions: those that one index serves in cursor order, and those that need a check of each row."""
    active = {name for name in _CRITERIA if getattr(criteria, name)}
    by_index = _choose_index(criteria, active)
    return frozenset(by_index), frozenset(active - by_index)


def _choose_index(criteria: DeliveryFilter, active: set[str]) -> set[str]:
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


def _list_values(workspace_id: int, criteria: DeliveryFilter) -> dict[str, object]:
    """Return the values of the parameters of all conditions."""
    since, until, zone = criteria.since, criteria.until, criteria.zone
    return {
        "workspace_id": workspace_id,
        "since": None if since is None else begin_of_day(since, zone),
        "until": None if until is None else end_of_day(until, zone),
        "destination_id": criteria.destination_id,
        "references": read_reference(criteria.reference or "") or [criteria.reference or ""],
        "code": criteria.code,
        "status": criteria.status,
        "channel": criteria.channel,
    }


_IS_OF_WORKSPACE = AlertDelivery.workspace_id == bindparam("workspace_id")
_IS_DRILL = AlertDelivery.drill.is_not(None)
_BOUNDS: Mapping[str, ColumnElement[bool]] = {
    "since": AlertDelivery.created_at >= bindparam("since"),
    "until": AlertDelivery.created_at < bindparam("until"),
}
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "reference": has_reference(bindparam("references", expanding=True)),
    "destination_id": AlertDelivery.alert_destination_id == bindparam("destination_id"),
    "code": AlertDelivery.last_error_code == bindparam("code"),
    "status": AlertDelivery.status == bindparam("status"),
    "channel": AlertDestination.type == bindparam("channel"),
}


def _condition(name: str, kind: DeliveryKind | None) -> ColumnElement[bool]:
    if name != "kind":
        return _CONDITIONS[name]
    return IS_TEST_SEND if kind in _TESTS else AlertDelivery.event_type != TEST_EVENT
