"""The sparkline beside a badge."""

from typing import Any

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from webapp.dashboard.recent_results import RECENT_COUNT, list_recent_results
from webapp.dashboard.status_fragment import STATUS
from webapp.deliveries.badge import Badge
from webapp.extensions import db
from webapp.models import DeliveryStatus, DrillNumber


@on_both_databases
def test_recent_results_are_the_last_20_tests_newest_last_in_one_query(
    context: None, seeded: SeededIds, count_queries: Any
) -> None:
    destination = get_destination(seeded)
    for second in range(RECENT_COUNT + 5):
        add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW + seconds(second))
    add_delivery(destination, status=DeliveryStatus.CANCELED, created_at=NOW + seconds(99), drill=DrillNumber.FIRST)

    with count_queries() as queries:
        recent_results = list_recent_results([seeded.destination, seeded.foreign_destination])

    sent = [(Badge.SENT, False)] * (RECENT_COUNT - 1)
    assert recent_results == {seeded.destination: [*sent, (Badge.FAILED, True)], seeded.foreign_destination: []}
    assert len(queries) == 1


@on_both_databases
def test_the_text_of_a_status_statement_is_written_once(context: None) -> None:
    compiled = STATUS.with_session.compile(db.engine)

    assert not compiled.literal_execute_params | compiled.post_compile_params
