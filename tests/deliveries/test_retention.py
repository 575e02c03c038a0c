"""Old deliveries are deleted, but never the newest test send of a destination."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases
from webapp.deliveries import Retention
from webapp.deliveries.retention import PAGE_SIZE
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

DAY = timedelta(days=1)
RETENTION = 30 * DAY
SENT = {"status": DeliveryStatus.SENT, "sent_at": NOW}


def _add_test(seeded: SeededIds, age: timedelta, **facts: object) -> int:
    return add_delivery(get_destination(seeded), created_at=NOW - age, **(SENT | facts)).id


def _forget(pages: int = 3) -> list[int]:
    """Delete up to this many pages of rows, and return the ids that remain."""
    retention = Retention(RETENTION, clock=lambda: 0.0)
    for _ in range(pages):
        retention.delete_old_page(NOW)
    return list(db.session.scalars(select(AlertDelivery.id).order_by(AlertDelivery.id)))


def test_only_deliveries_older_than_the_retention_are_deleted(seeded: SeededIds) -> None:
    _add_test(seeded, RETENTION + timedelta(seconds=1))
    kept = _add_test(seeded, RETENTION)
    newest = _add_test(seeded, DAY)

    assert _forget() == [kept, newest]


def test_the_newest_test_send_of_a_destination_is_kept_forever(seeded: SeededIds) -> None:
    _add_test(seeded, 900 * DAY)
    newest = _add_test(seeded, 800 * DAY)

    assert _forget() == [newest]


def test_the_higher_id_is_the_newest_of_two_test_sends_at_the_same_instant(seeded: SeededIds) -> None:
    _add_test(seeded, 800 * DAY)
    newest = _add_test(seeded, 800 * DAY)

    assert _forget() == [newest]


def test_an_old_real_alert_is_deleted_even_if_it_is_the_newest(seeded: SeededIds) -> None:
    add_real_alert(get_destination(seeded), created_at=NOW - 31 * DAY, **SENT)

    assert _forget() == []


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_a_pending_delivery_is_not_deleted_at_any_age(seeded: SeededIds, status: DeliveryStatus) -> None:
    waiting = add_real_alert(get_destination(seeded), created_at=NOW - 31 * DAY, status=status, send_after=NOW)

    assert _forget() == [waiting.id]


def test_nothing_is_deleted_without_a_retention_setting(seeded: SeededIds) -> None:
    _add_test(seeded, 900 * DAY)
    _add_test(seeded, 800 * DAY)

    assert Retention(None).delete_old_page(NOW) == 0


def test_rows_are_deleted_page_by_page(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    rows = [_row(destination.id, seeded.harbor) for _ in range(PAGE_SIZE + 10)]
    db.session.execute(insert(AlertDelivery), rows)
    db.session.commit()
    retention = Retention(RETENTION, clock=lambda: 0.0)

    assert [retention.delete_old_page(NOW) for _ in range(3)] == [PAGE_SIZE, 9, 0]


def test_the_next_cleanup_begins_an_hour_after_the_last(seeded: SeededIds) -> None:
    elapsed = 0.0
    retention = Retention(RETENTION, clock=lambda: elapsed)
    retention.delete_old_page(NOW)
    _add_test(seeded, 900 * DAY)
    _add_test(seeded, 800 * DAY)

    elapsed = 3599.0
    assert retention.delete_old_page(NOW) == 0
    elapsed = 3600.0
    assert retention.delete_old_page(NOW) == 1


def _row(destination_id: int, workspace_id: int) -> dict[str, object]:
    values = {"workspace_id": workspace_id, "alert_destination_id": destination_id, "event_type": "alerts.test"}
    at = NOW - 90 * DAY
    return values | SENT | {"attempt_count": 1, "payload": {}, "created_at": at, "updated_at": at}
