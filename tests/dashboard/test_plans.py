"""The plans of statements: PostgreSQL makes those of a list once for each connection, not for each page."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from tests.factories import SeededIds, add_delivery, get_destination
from tests.visitor import Visitor
from webapp.extensions import db


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_list_has_its_statements_planned_once_and_the_history_does_not(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC))  # waits, so that the list asks for more
    visitor = Visitor.signed_in(app, seeded.admin)
    for _ in range(8):  # psycopg prepares a statement that it has seen five times
        assert visitor.get("/w/harbor/destinations").status_code == 200
        assert visitor.get("/w/harbor/history").status_code == 200

    with app.app_context():
        prepared = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()

    for part in ("planned_tests.ended_at", "status IN ('queued', 'deferred')", "FROM workspaces JOIN members"):
        assert any(part in statement for statement in prepared), part
    assert not any("FROM alert_deliveries JOIN alert_destinations" in statement for statement in prepared)
