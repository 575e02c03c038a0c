"""Loads a page of the history by keyset pagination, at a cost independent of the number of deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, literal, select, tuple_

from webapp.deliveries.queries import NEWEST_FIRST, has_reference
from webapp.extensions import db
from webapp.history.filters import Cursor, Filter, Kind
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, AlertRule, Tenant
from webapp.text.references import read_reference
from webapp.time_zones import begin_of_day, end_of_day

# Entries per page.
PAGE_SIZE = 50

# Rows that one page may scan, so that a filter with few matches returns quickly too.
SCAN_LIMIT = 20_000

_CRITERIA = ("reference", "destination_id", "kind", "code", "status", "channel")
_CURSOR = tuple_(AlertDelivery.created_at, AlertDelivery.id)


@dataclass(frozen=True)
class HistoryEntry:
    """A delivery with its related names.

    rule, tenant: set for a real alert. requested_by: set for a test send, if known.
    """

    delivery: AlertDelivery
    destination: AlertDestination
    rule: str | None
    tenant: str | None
    requested_by: str | None


@dataclass(frozen=True)
class HistoryPage:
    """A page of entries, newest first.

    older: cursor of the next page, or None if there are no older rows.
    reached_scan_limit: whether the scan limit ended the page before it was full.
    """

    entries: Sequence[HistoryEntry]
    older: Cursor | None
    reached_scan_limit: bool = False


def list_page(workspace_id: int, criteria: Filter, before: Cursor | None = None, size: int = PAGE_SIZE) -> HistoryPage:
    """Return the newest deliveries older than a cursor. Executes at most two queries; neither sorts."""
    by_index, by_row = _split_conditions(criteria)
    scanned = [*_range(workspace_id, criteria, before), *(_condition(name, criteria) for name in by_index)]
    end = _find_end(scanned) if by_row else None
    bound = [] if end is None else [_bind(end) <= _CURSOR]
    entries = _fetch([*scanned, *bound, *(_check_by_row(_condition(name, criteria)) for name in by_row)], size + 1)
    if len(entries) > size:
        last = entries[size - 1].delivery
        return HistoryPage(entries[:size], Cursor(last.created_at, last.id))
    return HistoryPage(entries, end, reached_scan_limit=end is not None)


def _split_conditions(criteria: Filter) -> tuple[set[str], set[str]]:
    """Split the conditions: those that one index serves in cursor order, and those that need a check of each row."""
    active = {name for name in _CRITERIA if getattr(criteria, name)}
    tests = {"kind"} if criteria.kind is Kind.TEST else set()
    by_index = (
        {"reference"} & active or ({"destination_id"} & active) | tests or {"code"} & active or {"status"} & active
    )
    return by_index, active - by_index


def _range(workspace_id: int, criteria: Filter, before: Cursor | None) -> Iterator[ColumnElement[bool]]:
    yield AlertDelivery.workspace_id == workspace_id
    if before is not None:
        yield _bind(before) > _CURSOR
    if criteria.since is not None:
        yield AlertDelivery.created_at >= begin_of_day(criteria.since, criteria.zone)
    if criteria.until is not None:
        yield AlertDelivery.created_at < end_of_day(criteria.until, criteria.zone)


def _condition(name: str, criteria: Filter) -> ColumnElement[bool]:
    match name:
        case "destination_id":
            return AlertDelivery.alert_destination_id == criteria.destination_id
        case "kind" if criteria.kind is Kind.TEST:
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


def _check_by_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # Wrapped, so that no planner prefers an index of this column: such an index would ignore the scan limit.
    return func.coalesce(condition, false())


def _find_end(scanned: Sequence[ColumnElement[bool]]) -> Cursor | None:
    """Return the cursor of the last row within the scan limit, or None if there are fewer rows."""
    # This offset is cheap: it is constant, and the query reads the index only.
    keys = select(AlertDelivery.created_at, AlertDelivery.id).where(*scanned).order_by(*NEWEST_FIRST)
    end = db.session.execute(keys.offset(SCAN_LIMIT - 1).limit(1)).one_or_none()
    return Cursor(end.created_at, end.id) if end else None


def _fetch(conditions: Sequence[ColumnElement[bool]], limit: int) -> list[HistoryEntry]:
    query = (
        select(AlertDelivery, AlertDestination, AlertRule.name, Tenant.name, Account.name)
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .outerjoin(AlertRule, AlertRule.id == AlertDelivery.alert_rule_id)
        .outerjoin(Tenant, Tenant.id == AlertDelivery.tenant_id)
        .outerjoin(Account, Account.id == AlertDelivery.requested_by_id)
        .where(*conditions)
        .order_by(*NEWEST_FIRST)
        .limit(limit)
    )
    return [HistoryEntry(*row) for row in db.session.execute(query)]


def _bind(key: Cursor) -> ColumnElement[tuple[datetime, int]]:
    return tuple_(literal(key.created_at, AlertDelivery.created_at.type), key.id)
