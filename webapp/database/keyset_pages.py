"""Loads pages of long lists by keyset pagination, at a cost independent of the number of rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Integer, Select, bindparam, false, func, literal_column, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from webapp.extensions import db
from webapp.text.cursors import Cursor

# Entries per page.
PAGE_SIZE = 50

# Rows that one page may scan, so that a filter with few matches returns quickly too.
SCAN_LIMIT = 20_000

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class KeysetPage(Generic[Entry]):
    """A page of entries, newest first.

    older: cursor of the next page, or None if there are no older rows.
    reached_scan_limit: whether the scan limit ended the page before it was full.
    """

    entries: Sequence[Entry]
    older: Cursor | None
    reached_scan_limit: bool = False


@dataclass(frozen=True)
class PageStatements:
    """The statements of a page, which can be executed with any values. size: entries of the page.

    end: finds the key of the last row within the scan limit; None if no condition is checked row by row.
    page: reads the entries. bounded_page: those no older than that key.
    """

    page: Select[*tuple[Any, ...]]
    bounded_page: Select[*tuple[Any, ...]]
    end: Select[*tuple[Any, ...]] | None
    size: int


@dataclass(frozen=True)
class KeysetList(Generic[Entry]):
    """A list, newest first.

    query: selects what an entry is made of. make_entry: makes it from a row's values.
    time, id: the columns of the key. locate: returns an entry's key.
    is_plain: whether entries are made of the driver's own rows; see `webapp.database.driver_rows`.
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
    ) -> KeysetPage[Entry]:
        """Return the newest entries older than a cursor. Executes at most two queries; neither sorts."""
        return self.fetch(self.build(by_index, by_row, size, null, is_older=before is not None), {}, before)

    def build(
        self,
        by_index: Sequence[ColumnElement[bool]],
        by_row: Sequence[ColumnElement[bool]],
        size: int = PAGE_SIZE,
        null: Sequence[InstrumentedAttribute[Any]] = (),
        *,
        is_older: bool,
    ) -> PageStatements:
        """Build the statements of a page, which takes longer than executing them.

        by_index: the conditions that one index serves, in the order of the key. by_row: those that are checked row by
        row. null: those of the first columns of the index that are null in all these rows. No planner takes that for
        one value, so they stand in the order too. is_older: whether the page begins at a cursor.
        """
        order = [*(column.desc() for column in null), self.time.desc(), self.id.desc()]
        scanned = [*by_index, *([self._bind("before") > self._key] if is_older else [])]
        page = self.query.where(*scanned, *map(check_by_row, by_row)).order_by(*order)
        # A literal, not a bound parameter, so that PostgreSQL knows how few rows it is even in a plan for any values.
        page = page.limit(literal_column(str(size + 1), Integer))
        # This offset is cheap: it is the same for all pages, and the query reads the index only.
        keys = select(self.time, self.id).where(*scanned).order_by(*order).offset(bindparam("skipped")).limit(1)
        return PageStatements(page, page.where(self._bind("end") <= self._key), keys if by_row else None, size)

    def fetch(
        self, statements: PageStatements, values: Mapping[str, object], before: Cursor | None
    ) -> KeysetPage[Entry]:
        """Return the newest entries older than a cursor. values: of the conditions' parameters."""
        values = {**values, **_name("before", before), "skipped": SCAN_LIMIT - 1}
        found = db.session.execute(statements.end, values).one_or_none() if statements.end is not None else None
        end = Cursor(*found) if found else None
        rows = self._read(statements.bounded_page if end else statements.page, {**values, **_name("end", end)})
        entries = [self.make_entry(*row) for row in rows]
        if len(entries) > statements.size:
            return KeysetPage(entries[: statements.size], self.locate(entries[statements.size - 1]))
        return KeysetPage(entries, end, reached_scan_limit=end is not None)

    def _read(self, page: Select[*tuple[Any, ...]], values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        if not self.is_plain:
            return db.session.execute(page, values).all()
        with db.session.connection().execute(page, values) as result:
            return list(result.cursor.fetchall())

    @property
    def _key(self) -> ColumnElement[Any]:
        return tuple_(self.time, self.id)

    def _bind(self, name: str) -> ColumnElement[Any]:
        """Return the parameters of a cursor, under the names of `_name`."""
        return tuple_(bindparam(f"{name}_time", type_=self.time.type), bindparam(f"{name}_id", type_=self.id.type))


def _name(name: str, cursor: Cursor | None) -> dict[str, object]:
    return {} if cursor is None else {f"{name}_time": cursor.created_at, f"{name}_id": cursor.id}


def check_by_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition in a form that no planner finds rows by: an index of it would ignore any limit of a scan."""
    return func.coalesce(condition, false())
