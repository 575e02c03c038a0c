"""The cost of a round: it reads no more when there are more past deliveries."""

from functools import partial

import pytest

from tests.factories import NOW, SeededIds
from tests.query_plans import explain, record_statements
from webapp.notices.unconfirmed import open_unconfirmed


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_drills_and_tests_that_were_seen_are_looked_for_by_destination(context: None, seeded: SeededIds) -> None:
    """Each has a subplan. PostgreSQL joins what is in an EXISTS instead, and reads the tests of all workspaces."""
    ((statement, parameters),) = record_statements(partial(open_unconfirmed, NOW))
    assert "SubPlan 2" in explain(statement, parameters)
