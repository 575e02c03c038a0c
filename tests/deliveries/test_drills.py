"""The test sends of drills: written like a press, but never in the way of one."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.deliveries import (
    CoolingDown,
    DestinationDisabled,
    WantedTest,
    fail_unqueued,
    plan_test,
    request_test,
    request_tests,
)
from webapp.deliveries.messages import read_message
from webapp.deliveries.requesting.request_rules import DrillTaken, OtherTestWaits, WantedDrill
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, DrillNumber
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

FIRST = WantedDrill(DrillNumber.FIRST, None, None)


def _get(delivery_id: int) -> AlertDelivery:
    return db.session.get_one(AlertDelivery, delivery_id)


def request_drill(
    destination: AlertDestination,
    drill: WantedDrill,
    now: datetime,
    settings_version: int,
    account: Account | None = None,
) -> int:
    """Write the test send of one drill and return its id, or raise why it was refused."""
    (outcome,) = request_tests([WantedTest(destination, now, settings_version, drill=drill)], account)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _count_deliveries() -> int:
    return db.session.scalar(select(func.count(AlertDelivery.id))) or 0


def test_a_drill_is_a_test_send_that_nobody_requested(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery = _get(request_drill(get_destination(seeded), FIRST, NOW, settings_version=1))

    assert (delivery.event_type, delivery.drill, delivery.requested_by_id) == ("alerts.test", DrillNumber.FIRST, None)
    assert get_destination(seeded).drilled_at == NOW
    message = read_message(delivery, app_settings)
    assert message.title == "[TEST] Scheduled drill from Harbor Logistics"
    assert message.subject == f"[TEST] {delivery.reference}: scheduled drill from Harbor Logistics"
    assert message.requested_by == "Schedule of drills"


def test_a_drill_stands_in_the_audit_trail(seeded: SeededIds) -> None:
    request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)

    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (event.account_name, event.action, event.account_id) == ("Schedule of drills", "sent a drill", None)


def test_a_drill_that_somebody_asked_for_names_them(seeded: SeededIds) -> None:
    delivery = _get(request_drill(get_destination(seeded), FIRST, NOW, 1, get_account(seeded)))

    assert delivery.requested_by_id == seeded.admin
    assert delivery.payload["requested_by"] == get_account(seeded).name


def test_a_drill_keeps_the_60_seconds(seeded: SeededIds) -> None:
    request_test(get_destination(seeded), get_account(seeded), NOW)

    with pytest.raises(CoolingDown):
        request_drill(get_destination(seeded), FIRST, NOW + seconds(59), settings_version=1)


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_a_drill_supersedes_no_test_that_waits(seeded: SeededIds, status: DeliveryStatus) -> None:
    earlier = add_delivery(get_destination(seeded), status=status, created_at=NOW - seconds(61), send_after=NOW)
    earlier_id = earlier.id

    with pytest.raises(OtherTestWaits):
        request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)

    assert _get(earlier_id).status is status
    assert _count_deliveries() == 1


def test_a_drill_waits_for_a_planned_test(seeded: SeededIds) -> None:
    accepted_at = NOW - seconds(60)
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, created_at=accepted_at, sent_at=accepted_at)
    plan_test(get_destination(seeded), get_account(seeded), NOW - seconds(1))

    with pytest.raises(OtherTestWaits):
        request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)


def test_a_drill_of_a_disabled_destination_writes_nothing(seeded: SeededIds) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW)

    with pytest.raises(DestinationDisabled):
        request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)

    assert _count_deliveries() == 0


def test_a_drill_that_two_workers_found_due_is_requested_once(seeded: SeededIds) -> None:
    fail_unqueued([request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)], NOW)

    with pytest.raises(DrillTaken):
        request_drill(get_destination(seeded), FIRST, NOW + seconds(61), settings_version=1)

    assert _count_deliveries() == 1


def test_a_second_drill_follows_the_failed_one_that_it_was_found_for(seeded: SeededIds) -> None:
    first_id = request_drill(get_destination(seeded), FIRST, NOW, settings_version=1)
    fail_unqueued([first_id], NOW)
    second = WantedDrill(DrillNumber.SECOND, NOW, first_id)
    hour_later = NOW + seconds(3600)

    with pytest.raises(DrillTaken):
        request_drill(get_destination(seeded), replace(second, after=first_id + 1), hour_later, settings_version=1)
    second_id = request_drill(get_destination(seeded), second, hour_later, settings_version=1)

    assert _get(second_id).drill is DrillNumber.SECOND
