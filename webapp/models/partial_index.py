"""Indexes of the rows that fulfill a condition, the same on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, Index, TextClause
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler

_WHERE = "where"


def partial_index(name: str, *columns: str | ColumnElement[Any], where: TextClause, unique: bool = False) -> Index:
    """Return an index of the rows that fulfill the condition."""
    # `postgresql_where` would load SQLAlchemy's code for PostgreSQL, which an installation with SQLite never uses.
    return Index(name, *columns, unique=unique, sqlite_where=where, info={_WHERE: where})


@compiles(CreateIndex, "postgresql")
def _compile_for_postgresql(create: CreateIndex, compiler: DDLCompiler, **options: Any) -> str:
    where = create.element.info.get(_WHERE)
    statement: str = compiler.visit_create_index(create, **options)  # type: ignore[no-untyped-call]
    return statement if where is None else f"{statement} WHERE {where.text}"
