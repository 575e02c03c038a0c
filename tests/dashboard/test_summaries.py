"""The states of destinations, as read from the database."""

import pytest

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.dashboard.overview import count_states
from webapp.dashboard.summaries import Tab, list_summaries
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.models import DeliveryStatus, Receipt


@on_both_databases
def test_a_destination_has_the_state_of_its_newest_test(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code="gone", created_at=NOW + seconds(1))

    assert [(summary.name, summary.state) for summary in list_summaries([seeded.harbor], NOW)] == [
        ("Ticket system", Tab.FAILED)
    ]


@on_both_databases
@pytest.mark.parametrize(
    ("status", "receipt", "tab", "is_broken"),
    [
        (DeliveryStatus.SENT, None, Tab.SENT, False),
        (DeliveryStatus.SENT, Receipt.SEEN, Tab.SENT, False),
        (DeliveryStatus.SENT, Receipt.MISSING, Tab.MISSING, True),
        (DeliveryStatus.FAILED, Receipt.MISSING, Tab.FAILED, True),
        (DeliveryStatus.FAILED, Receipt.SEEN, Tab.FAILED, True),
        (DeliveryStatus.QUEUED, Receipt.SEEN, Tab.PENDING, False),
    ],
)
def test_an_accepted_message_that_is_reported_missing_makes_its_destination_broken(
    context: None, seeded: SeededIds, status: DeliveryStatus, receipt: Receipt | None, tab: Tab, is_broken: bool
) -> None:
    add_delivery(get_destination(seeded), status=status, sent_at=NOW, last_error_code="read_timeout", receipt=receipt)

    (summary,) = list_summaries([seeded.harbor], NOW)
    assert (summary.state, summary.state.is_broken) == (tab, is_broken)


@on_both_databases
def test_the_report_of_an_earlier_test_does_not_count(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    sent = {"status": DeliveryStatus.SENT, "sent_at": NOW}
    add_delivery(destination, **sent, receipt=Receipt.MISSING)
    add_delivery(destination, **sent, created_at=NOW + seconds(60))

    assert [summary.state for summary in list_summaries([seeded.harbor], NOW)] == [Tab.SENT]


def test_a_disabled_destination_whose_message_is_missing_is_not_broken(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, receipt=Receipt.MISSING)
    set_enabled(destination, get_account(seeded), False, NOW)

    assert [summary.state.is_broken for summary in list_summaries([seeded.harbor], NOW)] == [False]


def test_a_disabled_destination_is_listed_as_disabled_and_a_deleted_one_is_not_listed(
    context: None, seeded: SeededIds
) -> None:
    destination, admin = get_destination(seeded), get_account(seeded)
    set_enabled(destination, admin, False, NOW)
    disabled = count_states(list_summaries([seeded.harbor], NOW))
    delete_destination(destination, admin, NOW)

    assert (disabled[Tab.DISABLED], list_summaries([seeded.harbor], NOW)) == (1, [])
