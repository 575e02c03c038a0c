"""The use case behind Send test: it writes one row or raises the reason for a refusal."""

from contextlib import suppress

import pytest
from sqlalchemy import func, select

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.deliveries import DestinationDisabled, fail_unqueued, request_test
from webapp.deliveries.requesting.cooldown import CoolingDown
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _count_deliveries() -> int:
    return db.session.scalar(select(func.count(AlertDelivery.id))) or 0


def _get(delivery_id: int) -> AlertDelivery:
    return db.session.get_one(AlertDelivery, delivery_id)


def test_a_press_writes_a_queued_test_send_without_tenant_or_rule(seeded: SeededIds) -> None:
    delivery = _get(request_test(get_destination(seeded), get_account(seeded), NOW))

    assert (delivery.event_type, delivery.status, delivery.attempt_count) == (TEST_EVENT, DeliveryStatus.QUEUED, 0)
    assert (delivery.tenant_id, delivery.alert_rule_id, delivery.requested_by_id) == (None, None, seeded.admin)
    assert (delivery.created_at, delivery.workspace_id) == (NOW, seeded.harbor)


def test_the_payload_holds_the_message_and_no_secret(seeded: SeededIds) -> None:
    payload = _get(request_test(get_destination(seeded), get_account(seeded), NOW)).payload

    assert payload["workspace"] == "Harbor Logistics"
    assert set(payload) == {"message_id", "reference", "workspace", "destination", "requested_by", "requested_at"}


def test_a_press_59_seconds_after_the_last_is_refused_and_writes_nothing(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), created_at=NOW - seconds(59))

    with pytest.raises(CoolingDown):
        request_test(get_destination(seeded), get_account(seeded), NOW)

    assert _count_deliveries() == 1


def test_a_press_60_seconds_after_the_last_is_accepted(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), created_at=NOW - seconds(60))

    request_test(get_destination(seeded), get_account(seeded), NOW)

    assert _count_deliveries() == 2


def test_a_press_on_a_disabled_destination_writes_nothing(seeded: SeededIds) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW)

    with pytest.raises(DestinationDisabled):
        request_test(get_destination(seeded), get_account(seeded), NOW)

    assert _count_deliveries() == 0


def test_a_press_on_a_destination_that_was_just_deleted_writes_nothing(seeded: SeededIds) -> None:
    delete_destination(get_destination(seeded), get_account(seeded), NOW)

    with pytest.raises(DestinationDisabled):
        request_test(get_destination(seeded), get_account(seeded), NOW)

    assert _count_deliveries() == 0


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_a_new_press_supersedes_an_earlier_test_that_still_waits(seeded: SeededIds, status: DeliveryStatus) -> None:
    waiting = add_delivery(get_destination(seeded), created_at=NOW - seconds(61), status=status, send_after=NOW)

    request_test(get_destination(seeded), get_account(seeded), NOW)

    db.session.refresh(waiting)
    assert (waiting.status, waiting.last_error_code) == (DeliveryStatus.CANCELED, "superseded")


def test_a_new_press_does_not_cancel_an_earlier_test_that_is_being_sent(seeded: SeededIds) -> None:
    sending = add_delivery(get_destination(seeded), created_at=NOW - seconds(61), attempt_started_at=NOW - seconds(1))

    request_test(get_destination(seeded), get_account(seeded), NOW)

    db.session.refresh(sending)
    assert (sending.status, sending.attempt_started_at) == (DeliveryStatus.QUEUED, NOW - seconds(1))


def test_the_latest_press_is_the_newest_row_although_the_clock_was_set_back(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, created_at=NOW + seconds(3600))

    pressed = _get(request_test(destination, get_account(seeded), NOW))

    assert (pressed.created_at, pressed.updated_at) == (NOW + seconds(3600), NOW)


@pytest.mark.parametrize(("later", "written"), [(0, 2), (59, 2), (60, 3)])
def test_the_60_seconds_count_although_the_clock_was_set_back_before_the_last_press(
    seeded: SeededIds, later: float, written: int
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, created_at=NOW + seconds(3600))
    request_test(destination, get_account(seeded), NOW)

    with suppress(CoolingDown):
        request_test(destination, get_account(seeded), NOW + seconds(later))

    assert _count_deliveries() == written


def test_a_press_that_cannot_be_queued_ends_as_queue_unavailable(seeded: SeededIds) -> None:
    delivery_id = request_test(get_destination(seeded), get_account(seeded), NOW)

    fail_unqueued([delivery_id], NOW + seconds(1))

    delivery = _get(delivery_id)
    assert (delivery.status, delivery.last_error_code) == (DeliveryStatus.FAILED, "queue_unavailable")
    assert delivery.last_error_message == "Alertcheck could not reach its queue, so nothing was sent."


def test_a_delivery_that_a_worker_has_claimed_is_not_failed_as_unqueued(seeded: SeededIds) -> None:
    claimed = add_delivery(get_destination(seeded), attempt_started_at=NOW)

    fail_unqueued([claimed.id], NOW + seconds(1))

    db.session.refresh(claimed)
    assert claimed.status is DeliveryStatus.QUEUED
