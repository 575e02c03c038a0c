"""Records the statements that a function executes, and asks the database how it would execute them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from webapp.extensions import db


def record_statements(function: Callable[[], object]) -> list[tuple[str, Any]]:
    """Return the statements that a function executes, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def collect(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", collect)
    try:
        function()
    finally:
        event.remove(db.engine, "before_cursor_execute", collect)
    return sent


def explain(statement: str, parameters: Any) -> str:
    """Return the plan of a statement, as of a table that is too large to scan or to sort."""
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(str(row[-1]) for row in rows)
