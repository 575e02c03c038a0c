"""Inserts many rows of a table with one statement, and returns what the database gave them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import JSON, Column, Enum, Result, String, Table, Text, bindparam, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from webapp.database.query_plans import PLAN_ONCE
from webapp.extensions import Base, db
from webapp.models.types import Name


def insert_rows(model: type[Base], rows: Sequence[Mapping[str, Any]], *returning: Any) -> Result[*tuple[Any, ...]]:
    """Insert rows in this order, and return the columns `returning` of each, in any order.

    rows: at least one; all name the same columns.
    """
    if len(rows) == 1:
        return db.session.execute(_build_single_insert(model, returning), rows[0])
    if db.engine.dialect.name != "postgresql":
        # With a value to return, SQLAlchemy sends all rows in one statement, otherwise one by one.
        return db.session.execute(insert(model).returning(*returning), rows)
    # What all rows have in common is sent once, and the rest as one document: thousands of parameters take longer to
    # read than their rows to insert, and arrays of JSON longer to write.
    first = rows[0]
    own = tuple(name for name in first if any(row[name] != first[name] for row in rows)) or tuple(first)
    common = tuple(name for name in first if name not in own)
    parameters = {f"common_{name}": first[name] for name in common}
    statement = _build_insert(model, own, common, returning)
    return db.session.execute(statement, parameters | {"document": _write_document(model, own, rows)})


@lru_cache(maxsize=32)
def _build_single_insert(model: type[Base], returning: tuple[Any, ...]) -> ReturningInsert[*tuple[Any, ...]]:
    """Return the insert of one row. Cached, and of the table: the ORM would take longer than the database."""
    table = cast(Table, model.__table__)
    statement = insert(table).returning(*(table.c[column.key] for column in returning))
    return statement.execution_options(**{PLAN_ONCE: True})


@lru_cache(maxsize=32)
def _build_insert(
    model: type[Base], own: tuple[str, ...], common: tuple[str, ...], returning: tuple[Any, ...]
) -> ReturningInsert[*tuple[Any, ...]]:
    """Return the insert of rows whose own columns are in a document. Cached, as it takes long to build."""
    table = cast(Table, model.__table__)  # not the class: the ORM would take the parameters for the columns of a row
    types = {name: _unlimited_type(table.c[name].type) for name in (*own, *common)}
    document = bindparam("document", type_=Text).cast(JSON)
    columns = [Column(name, types[name]) for name in own]
    records = func.json_to_recordset(document).table_valued(*columns).render_derived(with_types=True)
    values = [bindparam(f"common_{name}", type_=types[name]) for name in common]
    statement = insert(table).from_select([*own, *common], select(*records.c, *values))
    return statement.returning(*(table.c[column.key] for column in returning))


def _write_document(model: type[Base], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return these columns of rows as JSON, each value as its column stores it."""
    converters = [(name, _find_converter(model.__table__.c[name].type)) for name in names]
    converted = [{name: convert(row[name]) if convert else row[name] for name, convert in converters} for row in rows]
    return json.dumps(converted, default=datetime.isoformat)


def _find_converter(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    dialect = db.engine.dialect
    return None if isinstance(kind, JSON) else kind.dialect_impl(dialect).bind_processor(dialect)


def _unlimited_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a column's type without a length, because PostgreSQL would cut off longer texts."""
    is_text = isinstance(kind, String | Name) and not isinstance(kind, Enum)
    return type(kind)() if is_text else kind
