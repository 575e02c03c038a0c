"""Divides the deliveries of a workspace into spans, so that no statement of a report reads more than a certain number.

A page may wait for each statement for a limited time only, however long its period is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, literal, select, tuple_

from webapp.database.keyset_pages import SCAN_LIMIT, check_by_row
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery
from webapp.text.cursors import Cursor

# Deliveries of a span.
SPAN_SIZE = SCAN_LIMIT


@dataclass(frozen=True)
class Span:
    """Consecutive deliveries of a workspace, by the time of their request.

    first: where it begins. next: where the next one begins; None for the last one, which ends before `ends_at`.
    """

    workspace_id: int
    first: Cursor
    next: Cursor | None
    ends_at: datetime

    def contains(self) -> ColumnElement[bool]:
        """Return the condition for its deliveries, which the index of the history serves."""
        end = AlertDelivery.created_at < self.ends_at if self.next is None else _bind(self.next) > _KEY
        return and_(AlertDelivery.workspace_id == self.workspace_id, _bind(self.first) <= _KEY, end)


def list_spans(workspace_id: int, begins_at: datetime, ends_at: datetime) -> Iterator[Span]:
    """List the spans between two times, oldest first. Executes a query for each, which reads the index only."""
    first: Cursor | None = Cursor(begins_at, 0)
    while first is not None:
        rest = Span(workspace_id, first, None, ends_at)
        keys = select(AlertDelivery.created_at, AlertDelivery.id).where(rest.contains())
        ordered = keys.order_by(AlertDelivery.created_at, AlertDelivery.id)
        row = db.session.execute(ordered.offset(SPAN_SIZE).limit(1)).one_or_none()
        end = Cursor(*row) if row else None
        yield Span(workspace_id, first, end, ends_at)
        first = end


# For rows of a span. Otherwise, PostgreSQL would read all tests of the installation, which an index of theirs lists.
IS_TEST = check_by_row(AlertDelivery.event_type == TEST_EVENT)

_KEY: ColumnElement[tuple[datetime, int]] = tuple_(AlertDelivery.created_at, AlertDelivery.id)


def _bind(key: Cursor) -> ColumnElement[tuple[datetime, int]]:
    return tuple_(literal(key.created_at, AlertDelivery.created_at.type), literal(key.id, AlertDelivery.id.type))
