"""The cost of what was done about a problem: no test of a destination is read once for each of its problems."""

import re

import pytest

from tests.evidence.test_export import FAILED, LATER, MAY, SEEN
from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from tests.query_plans import explain, record_statements
from webapp.evidence import RetentionPeriods, delivery_spans, make_report
from webapp.evidence.export import write_tests
from webapp.extensions import db


@on_both_databases
def test_the_next_accepted_test_is_found_in_the_index_of_accepted_deliveries(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), **FAILED)
    sent = record_statements(lambda: list(write_tests(seeded.harbor, MAY, LATER)))
    (plan,) = [explain(*one) for one in sent if "alert_deliveries_1" in one[0]]
    assert "ix_alert_deliveries_accepted" in plan
    assert "ix_alert_deliveries_newest" not in plan


@on_both_databases
def test_later_tests_that_were_seen_are_read_once_for_all_problems(context: None, seeded: SeededIds) -> None:
    def count() -> int:
        return len(record_statements(lambda: list(write_tests(seeded.harbor, MAY, LATER))))

    add_delivery(get_destination(seeded), **FAILED)
    few = count()
    for _ in range(5):
        add_delivery(get_destination(seeded), **FAILED)
    assert count() == few


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_report_reads_no_more_deliveries_with_one_statement_than_a_span_has(
    context: None, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the whole period would take longer than a page may wait. The index of the history finds a span.

    PostgreSQL chooses by the size of its tables: `make bench` shows what it does with many deliveries.
    """
    monkeypatch.setattr(delivery_spans, "SPAN_SIZE", 2)
    for hour in range(5):
        add_delivery(get_destination(seeded), **FAILED, **SEEN, created_at=NOW + seconds(3600 * hour))
    sent = record_statements(lambda: make_report(seeded.harbor, MAY, RetentionPeriods(None, None), LATER))
    db.session.rollback()

    plans = [explain(*one) for one in sent if "group_0" in one[0] or "row_number" in one[0]]
    assert len(plans) == 2 * 3
    assert all(re.search(r"ix_alert_deliveries_history(_tests)?\b", plan) for plan in plans), plans
