"""A test send's reference as an SQL expression, for the index that finds it and for the queries that use the index."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class ReferenceIn(FunctionElement[str]):
    """The reference in a payload. Written without bound parameters, as both databases require to use the index."""

    type = String()
    inherit_cache = True


@compiles(ReferenceIn, "postgresql")
def _compile_for_postgresql(element: ReferenceIn, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} ->> 'reference')"


@compiles(ReferenceIn, "sqlite")
def _compile_for_sqlite(element: ReferenceIn, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.reference')"
