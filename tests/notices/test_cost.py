"""The cost of a round: it reads no more when there are more past deliveries."""

import re
from functools import partial

import pytest

from tests.factories import NOW, SeededIds
from tests.query_plans import explain, record_statements
from webapp.notices.closing import close_problems
from webapp.notices.unconfirmed import open_unconfirmed


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_drills_and_tests_that_were_seen_are_looked_for_by_destination(context: None, seeded: SeededIds) -> None:
    """Each has a subplan. PostgreSQL joins what is in an EXISTS instead, and reads the tests of all workspaces."""
    ((statement, parameters),) = record_statements(partial(open_unconfirmed, NOW))
    assert "SubPlan 2" in explain(statement, parameters)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_messages_since_a_problem_are_found_by_their_time(context: None, seeded: SeededIds) -> None:
    """Otherwise, each round would read every message that a destination with an open problem ever got.

    PostgreSQL chooses by the size of its tables: `make bench` shows what it does with many messages.
    """
    statements = record_statements(partial(close_problems, NOW))
    plans = [explain(*each) for each in statements if "alert_deliveries.created_at >=" in each[0]]

    assert len(plans) == 2
    for plan in plans:
        assert re.search(_BY_TIME, plan), plan


_BY_TIME = r"alert_destination_id=\? AND (event_type=\? AND )?created_at>\?"
