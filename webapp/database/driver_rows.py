"""Reads rows as the driver returns them: fetching and comparing these takes a fraction of the time of SQLAlchemy's."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Float, Select
from sqlalchemy.types import TypeEngine

# A row as the driver returned it. Two reads return equal rows if the database has the same.
DriverRow = Sequence[Any]


class RowReader:
    """Converts the values of a query's rows to those that SQLAlchemy returns."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self._types = [column.type for column in query.selected_columns]
        self._find_converters = cache(self._list_converters)

    def read(self, row: DriverRow, dialect: Dialect) -> Iterator[Any]:
        """Yield the values of a row, in the order of the query's columns."""
        for convert, value in zip(self._find_converters(dialect), row, strict=True):
            yield convert(value) if convert else value

    def _list_converters(self, dialect: Dialect) -> list[Callable[[Any], Any] | None]:
        return [_find_converter(kind, dialect) for kind in self._types]


def _find_converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(kind, Float):  # needs none, and SQLAlchemy would want to know the driver's code of its type
        return None
    return kind.dialect_impl(dialect).result_processor(dialect, None)
