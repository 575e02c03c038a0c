"""The plans of the search's queries: none reads the deliveries one by one, on either database."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from tests.factories import NOW, SeededIds, on_both_databases
from webapp.auth.access import list_memberships
from webapp.extensions import db
from webapp.history import DeliveryFilter, list_page
from webapp.models import Account, AlertDelivery, DeliveryStatus, SearchKey
from webapp.search.query import read_query
from webapp.search.results import search

DELIVERIES = 4000


@pytest.fixture
def filled(context: None, seeded: SeededIds) -> SeededIds:
    """A database with so many test sends that its planner has a choice, and knows what is in them."""
    rows = [
        {
            "workspace_id": seeded.harbor,
            "alert_destination_id": seeded.destination,
            "event_type": "alerts.test",
            "status": DeliveryStatus.FAILED,
            "last_error_code": "not_found",
            "payload": {"reference": f"R{number:05}"},
            "created_at": NOW - timedelta(minutes=number),
            "updated_at": NOW,
        }
        for number in range(DELIVERIES)
    ]
    db.session.execute(AlertDelivery.__table__.insert(), rows)  # type: ignore[attr-defined]
    keys = [{"hash": f"{number:032x}", "destination_id": seeded.destination} for number in range(DELIVERIES)]
    db.session.execute(SearchKey.__table__.insert(), keys)  # type: ignore[attr-defined]
    db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()  # else the statistics would be rolled back, and the planner would guess
    return seeded


@pytest.fixture
def plans(context: None) -> list[str]:
    """The plan of every query that reads deliveries or search keys from now on.

    Few rows are cheap to read one by one, so PostgreSQL does so only where no index serves the query.
    """
    found: list[str] = []
    is_postgres = db.engine.dialect.name == "postgresql"
    prefix = "EXPLAIN" if is_postgres else "EXPLAIN QUERY PLAN"

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if statement.startswith("SELECT") and ("alert_deliveries" in statement or "search_keys" in statement):
            with db.engine.connect() as other:
                if is_postgres:
                    other.exec_driver_sql("SET LOCAL enable_seqscan = off")
                rows = other.exec_driver_sql(f"{prefix} {statement}", parameters)  # type: ignore[arg-type]
                found.append("\n".join(str(row[-1]) for row in rows))

    event.listen(db.engine, "before_cursor_execute", explain)
    return found


def _is_scan(step: str) -> bool:
    return "Seq Scan on alert_deliveries" in step or step.strip().startswith(("SCAN alert_deliveries", "SCAN test"))


@on_both_databases
@pytest.mark.parametrize("typed", ["R00017", "not_found", "example.com", "ticket"])
def test_no_search_reads_all_deliveries(filled: SeededIds, plans: list[str], typed: str) -> None:
    search(read_query(typed), list_memberships(db.session.get_one(Account, filled.support)))

    assert plans
    assert [plan for plan in plans if any(map(_is_scan, plan.splitlines()))] == []


@on_both_databases
def test_a_reference_is_found_by_its_index(filled: SeededIds, plans: list[str]) -> None:
    results = search(read_query("R00017"), list_memberships(db.session.get_one(Account, filled.support)))

    assert len(results.tests) == 1
    assert any("ix_alert_deliveries_reference" in plan for plan in plans)


@on_both_databases
def test_the_history_finds_a_reference_by_its_index(filled: SeededIds, plans: list[str]) -> None:
    page = list_page(filled.harbor, DeliveryFilter(reference="R03999"))

    assert len(page.entries) == 1
    assert "ix_alert_deliveries_reference" in plans[-1]


@on_both_databases
def test_hosts_are_found_by_their_hash(filled: SeededIds, plans: list[str]) -> None:
    search(read_query("hooks.example.org"), list_memberships(db.session.get_one(Account, filled.support)))

    (plan,) = [plan for plan in plans if "search_keys" in plan]
    assert "pk_search_keys" in plan or "sqlite_autoindex_search_keys" in plan or "PRIMARY KEY" in plan
