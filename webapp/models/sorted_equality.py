"""An equality for a query that also sorts by the column, so that PostgreSQL has to use an index that begins with it."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class SortedEquality(FunctionElement[Any]):
    """Whether a column equals a value. Sort by the column first: it decides nothing but which index is used.

    PostgreSQL does not sort by what it knows to be equal. Of a table without statistics, which is new or just grew, it
    then expects the same of every index that has the order of the other columns, and may read all rows of a workspace
    for each destination.
    """

    # Without the type of a condition: SQLAlchemy would compare it with 1, for which SQLite uses no index.
    inherit_cache = True


@compiles(SortedEquality)
def _compile(element: SortedEquality, compiler: SQLCompiler, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = {value}"


@compiles(SortedEquality, "postgresql")
def _compile_for_postgresql(element: SortedEquality, compiler: SQLCompiler, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} >= {value} AND {column} <= {value})"
