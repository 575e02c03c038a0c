"""The cost of the evidence: each part is found by walking an index, once per destination."""

from typing import Any

import pytest
from sqlalchemy import event, text

from tests.factories import SeededIds, on_both_databases
from webapp.dashboard.summaries import list_summaries
from webapp.extensions import db


@on_both_databases
@pytest.mark.parametrize("index", ["accepted", "drills"])
def test_the_list_reads_the_index_of_each_part(context: None, seeded: SeededIds, index: str) -> None:
    sent: list[tuple[str, Any]] = []

    def collect(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", collect)
    list_summaries([seeded.harbor])
    event.remove(db.engine, "before_cursor_execute", collect)

    statement, parameters = sent[-1]
    assert f"ix_alert_deliveries_{index}" in _explain(statement, parameters)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_postgresql_does_not_plan_the_list_anew_each_time(context: None, seeded: SeededIds) -> None:
    for _ in range(20):  # psycopg prepares a statement after five, and PostgreSQL compares plans after five more
        list_summaries([seeded.harbor])
    prepared = "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE '%needs_confirmation%'"
    assert db.session.scalar(text(prepared))


def _explain(statement: str, parameters: Any) -> str:
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:
            # The table is empty here, which a scan reads fastest.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(str(row[-1]) for row in rows)
