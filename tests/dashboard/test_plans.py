"""The plans of the list's statements: PostgreSQL makes them once for each connection, not for each page."""

import pytest
from flask import Flask
from sqlalchemy import text

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.extensions import db


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_list_has_its_summary_and_its_overdue_tests_planned_once(app: Flask, seeded: SeededIds) -> None:
    visitor = Visitor.signed_in(app, seeded.admin)
    for _ in range(8):  # psycopg prepares a statement that it has seen five times
        assert visitor.get("/w/harbor/destinations").status_code == 200

    with app.app_context():
        prepared = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()

    for part in ("planned_tests.ended_at", "status IN ('queued', 'deferred')"):
        assert any(part in statement for statement in prepared), part
    assert not any("FROM workspaces JOIN members" in statement for statement in prepared)
