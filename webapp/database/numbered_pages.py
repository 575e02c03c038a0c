"""Cuts lists into numbered pages: rows that are loaded already, and those of a query.

For lists that grow for ever, such as the history, see `keyset_pages`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.extensions import db
from webapp.text.ids import parse_id
from webapp.text.search_text import contains_text

# Rows per page.
PAGE_SIZE = 50

# The last page that can be asked for.
LAST_PAGE = 10_000

Row = TypeVar("Row")


@dataclass(frozen=True)
class NumberedPage(Generic[Row]):
    """One page of a list. total: rows on all pages. number: starts at 1. size: rows of a full page."""

    rows: Sequence[Row]
    total: int
    number: int
    size: int = PAGE_SIZE

    @property
    def pages(self) -> int:
        """The number of pages; at least one."""
        return _count_pages(self.total, self.size)


def parse_page(text: str | None) -> int:
    """Read the number of a page from a URL. Anything else counts as the first page."""
    return min(parse_id(text) or 1, LAST_PAGE)


def cut_page(rows: Sequence[Row], number: int, size: int = PAGE_SIZE) -> NumberedPage[Row]:
    """Return the requested page of loaded rows; past the end, the last one."""
    number = clamp_number(number, len(rows), size)
    return NumberedPage(rows[(number - 1) * size : number * size], len(rows), number, size)


def clamp_number(number: int, total: int, size: int = PAGE_SIZE) -> int:
    """Return the number of a page; past the end, that of the last one. total: rows on all pages."""
    return min(number, _count_pages(total, size))


def load_page(query: Select[Any], number: int) -> NumberedPage[Any]:
    """Load the requested page of an ordered query; past the end, the last one. Executes two queries."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = clamp_number(number, total)
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return NumberedPage(rows, total, number)


def search_page(
    query: Select[Any], number: int, text: str, key: InstrumentedAttribute[int], *texts: InstrumentedAttribute[str]
) -> NumberedPage[Any]:
    """Load the requested page of the rows with a text in one of the columns `texts`. Executes two queries.

    The texts are compared here: SQLite, and PostgreSQL with the locale C, know upper and lower case of ASCII only.
    key: the column by which the page's rows are loaded.
    """
    rows = db.session.execute(query.with_only_columns(key, *texts))
    page = cut_page([row[0] for row in rows if contains_text(text, *row[1:])], number)
    return NumberedPage(db.session.execute(query.where(key.in_(page.rows))).all(), page.total, page.number)


def _count_pages(total: int, size: int) -> int:
    return max(1, -(-total // size))
