"""The states of destinations, as read from the database."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.dashboard.random_destinations import add_random_destinations
from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.dashboard.overview import count_states
from webapp.dashboard.summaries import DestinationSummary, Tab, list_summaries
from webapp.deliveries.badge import badge_for
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.newest_deliveries import find_newest_drill, find_newest_test
from webapp.deliveries.queries import NEWEST_FIRST
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, Receipt


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


@on_both_databases
@pytest.mark.parametrize("seed", range(2))
def test_a_summary_says_what_the_rows_of_its_destination_say(context: None, seeded: SeededIds, seed: int) -> None:
    add_random_destinations(seeded, random.Random(seed), 60)
    since = NOW - timedelta(minutes=2)

    summaries = list_summaries([seeded.harbor], NOW, since)

    assert len(summaries) == 61
    assert {summary.state for summary in summaries} == set(Tab)
    for summary in summaries:
        destination = db.session.get_one(AlertDestination, summary.destination_id)
        assert (summary.name, summary.channel) == (destination.name, destination.type)
        assert ",".join(summary.tags) == destination.tags
        _check_test(summary, destination)
        _check_acceptance(summary, destination)
        _check_drill(summary, destination)


def _check_test(summary: DestinationSummary, destination: AlertDestination) -> None:
    newest = find_newest_test(destination)
    changed = summary.changed
    assert changed
    assert summary.tested_at == (newest.sent_at if newest else None)
    assert (changed.newest_id, changed.newest_status) == ((newest.id, newest.status) if newest else (None, None))
    is_missing = newest is not None and (newest.status, newest.receipt) == (DeliveryStatus.SENT, Receipt.MISSING)
    enabled = Tab.MISSING if is_missing else Tab(badge_for(newest.status if newest else None))
    assert summary.state is (enabled if destination.is_enabled else Tab.DISABLED)
    plan = db.session.scalar(select(PlannedTest).where(PlannedTest.alert_destination_id == destination.id))
    is_new = newest is not None and newest.updated_at > NOW - timedelta(minutes=2)
    assert (changed.planned_id, changed.is_recent) == (plan.id if plan else None, is_new or plan is not None)


def _check_acceptance(summary: DestinationSummary, destination: AlertDestination) -> None:
    accepted = db.session.scalars(
        select(AlertDelivery)
        .where(AlertDelivery.alert_destination_id == destination.id, AlertDelivery.status == DeliveryStatus.SENT)
        .order_by(*NEWEST_FIRST)
    ).first()
    assert (summary.proof.acceptance is None) == (accepted is None)
    if accepted is not None and accepted.sent_at:
        is_new = destination.settings_version == 1 or accepted.created_at >= destination.updated_at
        version = accepted.settings_version
        is_present = is_new if version is None else version == destination.settings_version
        assert summary.proof.acceptance == Acceptance(
            accepted.id, accepted.sent_at, not is_present, is_real_alert=accepted.event_type != TEST_EVENT
        )


def _check_drill(summary: DestinationSummary, destination: AlertDestination) -> None:
    drill = find_newest_drill(destination) if destination.needs_confirmation else None
    found = summary.proof.confirmation
    assert (found is None) == (drill is None)
    if drill is not None and found is not None:
        assert found[:4] == (drill.id, drill.created_at, drill.status, drill.last_error_code)
        assert found[4:8] == (drill.receipt, drill.receipt_at, drill.receipt_source, drill.receipt_by)
