"""A page of a long list: some rows of a query, and which page of how many they are."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.extensions import db
from webapp.text.ids import parse_id
from webapp.text.names import clean_name

Row = TypeVar("Row")

# Rows of a page.
PAGE_SIZE = 50

# Characters that a list is searched for.
MAX_TEXT = 100

# Pages that can be asked for.
LAST_PAGE = 10_000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page. number: counts from 1. total: rows of all pages."""

    rows: list[Row]
    number: int
    total: int

    @property
    def count(self) -> int:
        """The number of pages; at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def parse_page(text: str | None) -> int:
    """Return a page's number; the first one for anything else."""
    return min(parse_id(text) or 1, LAST_PAGE)


def parse_text(text: str | None) -> str:
    """Return the text that a list is searched for, without invisible characters."""
    return clean_name(text or "")[:MAX_TEXT]


def load_page(query: Select[Any], number: int) -> Page[Any]:
    """Load a page of an ordered query, the last one if there are not so many. Executes two queries."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = min(number, max(1, -(-total // PAGE_SIZE)))
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(list(rows), number, total)


def contains(text: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that a column contains a text, in upper or lower case."""
    return or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns))
