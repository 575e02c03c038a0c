"""The cost of what was done about a problem: no test of a destination is read once for each of its problems."""

from tests.evidence.test_export import FAILED, LATER, MAY
from tests.factories import SeededIds, add_delivery, get_destination, on_both_databases
from tests.query_plans import explain, record_statements
from webapp.evidence.export import write_tests


@on_both_databases
def test_the_next_accepted_test_is_found_in_the_index_of_accepted_deliveries(context: None, seeded: SeededIds) -> None:
    sent = record_statements(lambda: list(write_tests(seeded.harbor, MAY, LATER)))
    (plan,) = [explain(*one) for one in sent if "audit_events" in one[0]]
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
