"""The strip of marks beside a badge."""

from typing import Any

from tests.factories import NOW, Cast, add_delivery, get_destination, on_both_databases, seconds
from webapp.dashboard.recent_results import ON_A_STRIP, list_strips
from webapp.models import DeliveryStatus


@on_both_databases
def test_the_strip_holds_the_last_20_tests_the_newest_last_in_one_query(
    context: None, cast: Cast, count_queries: Any
) -> None:
    destination = get_destination(cast)
    for second in range(ON_A_STRIP + 5):
        add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW + seconds(second))
    add_delivery(destination, status=DeliveryStatus.CANCELED, created_at=NOW + seconds(99))

    with count_queries() as queries:
        strips = list_strips([cast.destination, cast.foreign_destination])

    sent = [DeliveryStatus.SENT] * (ON_A_STRIP - 1)
    assert strips == {cast.destination: [*sent, DeliveryStatus.CANCELED], cast.foreign_destination: []}
    assert len(queries) == 1
