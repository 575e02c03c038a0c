"""Deliveries are deleted when they are old enough, and never the last word on a destination."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases
from webapp.deliveries import Retention
from webapp.deliveries.retention import PAGE
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

DAY = timedelta(days=1)
KEEP = 30 * DAY
SENT = {"status": DeliveryStatus.SENT, "sent_at": NOW}


def _add_test(seeded: SeededIds, age: timedelta, **facts: object) -> int:
    return add_delivery(get_destination(seeded), created_at=NOW - age, **(SENT | facts)).id


def _forget(pages: int = 3) -> list[int]:
    """Walk through this many pages, and return what is left."""
    retention = Retention(KEEP, clock=lambda: 0.0)
    for _ in range(pages):
        retention.forget_some(NOW)
    return list(db.session.scalars(select(AlertDelivery.id).order_by(AlertDelivery.id)))


def test_what_is_older_than_the_time_to_keep_is_deleted_and_the_rest_is_not(seeded: SeededIds) -> None:
    _add_test(seeded, KEEP + timedelta(seconds=1))
    kept = _add_test(seeded, KEEP)
    newest = _add_test(seeded, DAY)

    assert _forget() == [kept, newest]


def test_the_newest_test_send_of_a_destination_is_kept_for_ever(seeded: SeededIds) -> None:
    _add_test(seeded, 900 * DAY)
    newest = _add_test(seeded, 800 * DAY)

    assert _forget() == [newest]


def test_of_two_test_sends_of_one_instant_the_later_row_is_the_newest(seeded: SeededIds) -> None:
    _add_test(seeded, 800 * DAY)
    newest = _add_test(seeded, 800 * DAY)

    assert _forget() == [newest]


def test_old_real_alerts_are_deleted_also_where_they_are_the_newest(seeded: SeededIds) -> None:
    add_real_alert(get_destination(seeded), created_at=NOW - 31 * DAY, **SENT)

    assert _forget() == []


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_what_still_waits_is_not_deleted_however_old(seeded: SeededIds, status: DeliveryStatus) -> None:
    waiting = add_real_alert(get_destination(seeded), created_at=NOW - 31 * DAY, status=status, send_after=NOW)

    assert _forget() == [waiting.id]


def test_nothing_is_deleted_unless_the_operator_says_how_long_to_keep(seeded: SeededIds) -> None:
    _add_test(seeded, 900 * DAY)
    _add_test(seeded, 800 * DAY)

    assert Retention(None).forget_some(NOW) == 0


def test_more_than_a_page_is_deleted_page_by_page(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    rows = [_row(destination.id, seeded.harbor) for _ in range(PAGE + 10)]
    db.session.execute(insert(AlertDelivery), rows)
    db.session.commit()
    retention = Retention(KEEP, clock=lambda: 0.0)

    assert [retention.forget_some(NOW) for _ in range(3)] == [PAGE, 9, 0]


def test_after_a_walk_the_next_begins_an_hour_later(seeded: SeededIds) -> None:
    elapsed = 0.0
    retention = Retention(KEEP, clock=lambda: elapsed)
    retention.forget_some(NOW)
    _add_test(seeded, 900 * DAY)
    _add_test(seeded, 800 * DAY)

    elapsed = 3599.0
    assert retention.forget_some(NOW) == 0
    elapsed = 3600.0
    assert retention.forget_some(NOW) == 1


def _row(destination_id: int, workspace_id: int) -> dict[str, object]:
    values = {"workspace_id": workspace_id, "alert_destination_id": destination_id, "event_type": "alerts.test"}
    at = NOW - 90 * DAY
    return values | SENT | {"attempt_count": 1, "payload": {}, "created_at": at, "updated_at": at}
