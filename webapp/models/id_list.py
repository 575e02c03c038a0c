"""Whether a column is one of many ids, which are one parameter on PostgreSQL instead of one each."""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement


class IsOneOf(FunctionElement[Any]):
    """Whether a column is one of the ids that a statement is executed with, under this name.

    For hundreds of ids, the parameters of IN take longer to write into a statement than their rows to find.
    """

    # Without the type of a condition, as `webapp.models.sorted_equality`.
    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[int], name: str) -> None:
        super().__init__(column, bindparam(name, expanding=True))


@compiles(IsOneOf)
def _compile(element: IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = element.clauses
    return compiler.process(column.in_(ids), **options)


@compiles(IsOneOf, "postgresql")
def _compile_for_postgresql(element: IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = element.clauses
    assert isinstance(ids, BindParameter)
    array = bindparam(ids.key, type_=ARRAY(BigInteger))
    return f"{compiler.process(column, **options)} = ANY ({compiler.process(array, **options)})"
