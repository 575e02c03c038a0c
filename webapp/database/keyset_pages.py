"""Loads pages of long lists by keyset pagination, at a cost independent of the number of rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, false, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from webapp.extensions import db
from webapp.text.cursors import Cursor

# Entries per page.
PAGE_SIZE = 50

# Rows that one page may scan, so that a filter with few matches returns quickly too.
SCAN_LIMIT = 20_000

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Page(Generic[Entry]):
    """A page of entries, newest first.

    older: cursor of the next page, or None if there are no older rows.
    reached_scan_limit: whether the scan limit ended the page before it was full.
    """

    entries: Sequence[Entry]
    older: Cursor | None
    reached_scan_limit: bool = False


@dataclass(frozen=True)
class KeysetList(Generic[Entry]):
    """A list, newest first.

    query: selects what an entry is made of. make_entry: makes it from a row's values.
    time, id: the columns of the key. locate: returns an entry's key. is_plain: whether it selects columns only, no
    objects, which is read faster without the session's help.
    """

    query: Select[*tuple[Any, ...]]
    make_entry: Callable[..., Entry]
    time: InstrumentedAttribute[datetime]
    id: InstrumentedAttribute[int]
    locate: Callable[[Entry], Cursor]
    is_plain: bool = False

    def fetch_page(
        self,
        by_index: Sequence[ColumnElement[bool]],
        by_row: Sequence[ColumnElement[bool]],
        before: Cursor | None = None,
        size: int = PAGE_SIZE,
        null: Sequence[InstrumentedAttribute[Any]] = (),
    ) -> Page[Entry]:
        """Return the newest entries older than a cursor. Executes at most two queries; neither sorts.

        by_index: the conditions that one index serves, in the order of the key. by_row: those that are checked row by
        row. null: those of the first columns of the index that are null in all these rows. No planner takes that for
        one value, so they stand in the order too.
        """
        order = [*(column.desc() for column in null), self.time.desc(), self.id.desc()]
        scanned = [*by_index, *self._older_than(before)]
        end = self._find_end(scanned, order) if by_row else None
        bound = [] if end is None else [self._bind(end) <= self._key]
        conditions = [*scanned, *bound, *map(check_by_row, by_row)]
        reader = db.session.connection() if self.is_plain else db.session
        rows = reader.execute(self.query.where(*conditions).order_by(*order).limit(size + 1))
        entries = [self.make_entry(*row) for row in rows]
        if len(entries) > size:
            return Page(entries[:size], self.locate(entries[size - 1]))
        return Page(entries, end, reached_scan_limit=end is not None)

    @property
    def _key(self) -> ColumnElement[Any]:
        return tuple_(self.time, self.id)

    def _bind(self, key: Cursor) -> ColumnElement[Any]:
        return tuple_(literal(key.created_at, self.time.type), key.id)

    def _older_than(self, before: Cursor | None) -> Iterator[ColumnElement[bool]]:
        if before is not None:
            yield self._bind(before) > self._key

    def _find_end(self, scanned: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]]) -> Cursor | None:
        """Return the cursor of the last row within the scan limit, or None if there are fewer rows."""
        # This offset is cheap: it is constant, and the query reads the index only.
        keys = select(self.time, self.id).where(*scanned).order_by(*order)
        end = db.session.execute(keys.offset(SCAN_LIMIT - 1).limit(1)).one_or_none()
        return Cursor(*end) if end else None


def check_by_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition in a form that no planner finds rows by: an index of it would ignore any limit of a scan."""
    return func.coalesce(condition, false())
