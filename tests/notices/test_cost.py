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
    ((statement, parameters),) = record_statements(partial(close_problems, NOW))
    plan = explain(statement, parameters)

    assert statement.count("alert_deliveries.created_at >=") == 2 * LOOKS_FOR_MESSAGES
    assert len(re.findall(_BY_TIME, plan)) == LOOKS_FOR_MESSAGES, plan


# Messages that were seen, and messages that were accepted.
LOOKS_FOR_MESSAGES = 2
_BY_TIME = r"SEARCH alert_deliveries .*alert_destination_id=\? AND (?:event_type=\? AND )?created_at>\?"
