"""Constants in the text of a statement: words of ours only, and known to the database when it plans."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import SeededIds, add_delivery, get_destination
from tests.query_plans import record_statements
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import TEST_EVENT, DeliveryStatus
from webapp.models.inline_value import inline

HERE = "/w/harbor/destinations"


def _count_plannings(statement: str, parameters: Any) -> int:
    """Return how often SQLite plans a statement again while it is executed three times with these parameters."""
    plannings = 0

    def note(action: int, *_facts: object) -> int:
        nonlocal plannings
        plannings += action == sqlite3.SQLITE_SELECT
        return sqlite3.SQLITE_OK

    database = sqlite3.connect(db.engine.url.database or "")
    database.set_authorizer(note)
    database.execute(statement, parameters).fetchall()
    plannings = 0
    for _ in range(3):
        database.execute(statement, parameters).fetchall()
    database.close()
    return plannings


@pytest.mark.parametrize(
    "path", [HERE, f"{HERE}/1", f"{HERE}/1/status", "/w/harbor/history", "/w/harbor/history?kind=test", "/broken"]
)
@pytest.mark.usefixtures("context")
def test_sqlite_plans_the_statements_of_a_page_once(
    seeded: SeededIds, visit: Callable[[int], Visitor], path: str
) -> None:
    add_delivery(get_destination(seeded))
    visitor = visit(seeded.admin)

    statements = record_statements(lambda: visitor.get(path))

    assert statements
    assert [(text, count) for text, values in statements if (count := _count_plannings(text, values))] == []


@pytest.mark.parametrize("text", ["it's", "", "a b", "SENT", "sent'--", "a..b", "sent\n"])
def test_nothing_but_a_word_gets_into_a_statement(text: str) -> None:
    with pytest.raises(ValueError, match="not a constant"):
        inline(text)


@pytest.mark.parametrize(
    ("value", "text"), [(TEST_EVENT, "'alerts.test'"), (DeliveryStatus.SENT, "'sent'"), (20, "20")]
)
def test_a_constant_is_a_part_of_the_text(value: str | int, text: str) -> None:
    assert str(inline(value)) == text
