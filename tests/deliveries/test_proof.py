"""The cost of the proof: each part is found by walking an index, once per destination."""

import pytest

from tests.factories import NOW, SeededIds, on_both_databases
from tests.query_plans import explain, record_statements
from webapp.dashboard.summaries import list_summaries


@on_both_databases
@pytest.mark.parametrize("index", ["accepted", "drills"])
def test_the_list_reads_the_index_of_each_part(context: None, seeded: SeededIds, index: str) -> None:
    ((statement, parameters),) = record_statements(lambda: list_summaries([seeded.harbor], NOW))[-1:]
    assert f"ix_alert_deliveries_{index}" in explain(statement, parameters)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_statement_says_that_one_row_of_each_part_is_read(context: None, seeded: SeededIds) -> None:
    """Not as a parameter: PostgreSQL would then plan the statement anew each time."""
    ((statement, _),) = record_statements(lambda: list_summaries([seeded.harbor], NOW))[-1:]
    assert statement.count("LIMIT 1)") == statement.count("LIMIT") == 5
