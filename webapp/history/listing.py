"""Fetch a page of the history by key, at the same cost however many deliveries there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import ColumnElement, false, func, literal, select, tuple_

from webapp.deliveries.queries import NEWEST_FIRST
from webapp.extensions import db
from webapp.history.filters import Filter, Key, Kind
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, AlertRule, Tenant

ON_A_PAGE = 50

LOOKED_THROUGH = 20_000
"""Rows that one page looks through at most, so that a filter that matches next to nothing is answered at once too."""

_KEY = tuple_(AlertDelivery.created_at, AlertDelivery.id)


@dataclass(frozen=True)
class Entry:
    """A delivery, and the names that belong to it. rule, tenant: of a real alert; presser: of a test send, if known."""

    delivery: AlertDelivery
    destination: AlertDestination
    rule: str | None
    tenant: str | None
    presser: str | None


@dataclass(frozen=True)
class Page:
    """Some entries, the newest first.

    older: where the next page begins, or None if nothing older is left to look at.
    is_short: as many rows as a page may were looked through before it was full.
    """

    entries: Sequence[Entry]
    older: Key | None
    is_short: bool = False


def list_page(workspace_id: int, wanted: Filter, before: Key | None = None, size: int = ON_A_PAGE) -> Page:
    """Fetch the newest deliveries that are older than a key: two queries at most, of which neither sorts."""
    by_index, by_row = _share_out(wanted)
    looked_through = [*_range(workspace_id, wanted, before), *(_condition(name, wanted) for name in by_index)]
    end = _find_end(looked_through) if by_row else None
    bound = [] if end is None else [_bind(end) <= _KEY]
    entries = _fetch([*looked_through, *bound, *(_ask_row(_condition(name, wanted)) for name in by_row)], size + 1)
    if len(entries) > size:
        last = entries[size - 1].delivery
        return Page(entries[:size], Key(last.created_at, last.id))
    return Page(entries, end, is_short=end is not None)


def _share_out(wanted: Filter) -> tuple[set[str], set[str]]:
    """Tell the conditions that one index answers in the order of the key from those that each row is asked for."""
    asked = {name for name in ("destination_id", "kind", "code", "status", "channel") if getattr(wanted, name)}
    tests = {"kind"} if wanted.kind is Kind.TEST else set()
    by_index = ({"destination_id"} & asked) | tests or {"code"} & asked or {"status"} & asked
    return by_index, asked - by_index


def _range(workspace_id: int, wanted: Filter, before: Key | None) -> Iterator[ColumnElement[bool]]:
    yield AlertDelivery.workspace_id == workspace_id
    if before is not None:
        yield _bind(before) > _KEY
    if wanted.since is not None:
        yield AlertDelivery.created_at >= datetime.combine(wanted.since, time.min, UTC)
    if wanted.until is not None:
        yield AlertDelivery.created_at <= datetime.combine(wanted.until, time.max, UTC)


def _condition(name: str, wanted: Filter) -> ColumnElement[bool]:
    match name:
        case "destination_id":
            return AlertDelivery.alert_destination_id == wanted.destination_id
        case "kind" if wanted.kind is Kind.TEST:
            # Written out, not bound, so that both databases see which partial index serves it.
            return AlertDelivery.event_type == literal(TEST_EVENT, literal_execute=True)
        case "kind":
            return AlertDelivery.event_type != TEST_EVENT
        case "code":
            return AlertDelivery.last_error_code == wanted.code
        case "status":
            return AlertDelivery.status == wanted.status
    return AlertDestination.type == wanted.channel


def _ask_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # Wrapped, so that no planner leaves the range for an index of this column, which knows nothing of the bound.
    return func.coalesce(condition, false())


def _find_end(looked_through: Sequence[ColumnElement[bool]]) -> Key | None:
    """Find the last of the rows to look through, or None if there are fewer."""
    # This offset is no page's: it does not grow, and only the index is read.
    keys = select(AlertDelivery.created_at, AlertDelivery.id).where(*looked_through).order_by(*NEWEST_FIRST)
    end = db.session.execute(keys.offset(LOOKED_THROUGH - 1).limit(1)).one_or_none()
    return Key(end.created_at, end.id) if end else None


def _fetch(conditions: Sequence[ColumnElement[bool]], limit: int) -> list[Entry]:
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
    return [Entry(*found) for found in db.session.execute(query)]


def _bind(key: Key) -> ColumnElement[tuple[datetime, int]]:
    return tuple_(literal(key.created_at, AlertDelivery.created_at.type), key.id)
