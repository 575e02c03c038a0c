"""Inserts many rows of a table with one statement, and returns what the database gave them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Enum, Result, String, bindparam, func, insert, select
from sqlalchemy.types import TypeEngine

from webapp.extensions import Base, db
from webapp.models.types import Name


def insert_rows(model: type[Base], rows: Sequence[Mapping[str, Any]], *returning: Any) -> Result[*tuple[Any, ...]]:
    """Insert rows in this order, and return the columns `returning` of each, in any order.

    rows: at least one; all name the same columns.
    """
    if len(rows) == 1 or db.engine.dialect.name != "postgresql":
        # With a value to return, SQLAlchemy sends all rows in one statement, otherwise one by one.
        return db.session.execute(insert(model).returning(*returning), rows)
    # One array for each column: a statement of thousands of parameters takes longer to read than its rows to insert.
    columns = [model.__table__.c[name] for name in rows[0]]
    arrays = [
        bindparam(
            column.name,
            [row[column.name] for row in rows],
            ARRAY(_unlimited_type(column.type), dimensions=1),
            unique=True,
        )
        for column in columns
    ]
    names = [column.name for column in columns]
    unnested = func.unnest(*arrays).table_valued(*names).render_derived()
    return db.session.execute(insert(model).from_select(names, select(*unnested.c)).returning(*returning))


def _unlimited_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a column's type for an array: without a length, because PostgreSQL would cut off longer texts."""
    is_text = isinstance(kind, String | Name) and not isinstance(kind, Enum)
    return type(kind)() if is_text else kind
