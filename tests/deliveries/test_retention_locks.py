"""A press does not wait for the deletion of old deliveries."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, insert, text

from tests.factories import NOW, SeededIds, get_account, get_destination, on_both_databases
from webapp.deliveries import Retention, request_test
from webapp.deliveries.retention import PAGE_SIZE
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = pytest.mark.usefixtures("context")

RETENTION = timedelta(days=30)


def _add_old_rows(seeded: SeededIds, count: int) -> None:
    at = NOW - timedelta(days=90)
    row = {
        "workspace_id": seeded.harbor,
        "alert_destination_id": seeded.destination,
        "event_type": "alerts.test",
        "status": DeliveryStatus.SENT,
        "sent_at": at,
        "attempt_count": 1,
        "payload": {},
        "created_at": at,
        "updated_at": at,
    }
    db.session.execute(insert(AlertDelivery), [row] * count)
    db.session.commit()


def _press(app: Flask, seeded: SeededIds, now: datetime) -> int:
    """Request a test on a connection of its own, which on PostgreSQL gives up after a second."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("SET LOCAL lock_timeout = 1000"))
        return request_test(get_destination(seeded), get_account(seeded), now)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_press_does_not_wait_for_a_page_that_is_being_deleted(app: Flask, seeded: SeededIds) -> None:
    """It locks the same destination, and inserts into the same table, before the deletion commits."""
    _add_old_rows(seeded, 100)
    pressed: list[int] = []

    def press_meanwhile(_session: object) -> None:
        with ThreadPoolExecutor(1) as pool:
            pressed.append(pool.submit(_press, app, seeded, NOW).result(timeout=60))

    event.listen(db.session(), "before_commit", press_meanwhile, once=True)
    assert Retention(RETENTION, clock=lambda: 0.0).delete_old_page(NOW) == 99
    assert db.session.get_one(AlertDelivery, pressed[0]).status is DeliveryStatus.QUEUED


@on_both_databases
def test_presses_go_on_while_pages_are_deleted(app: Flask, seeded: SeededIds) -> None:
    """SQLite has one writer at a time: a press waits for a page there, but not for all of them."""
    _add_old_rows(seeded, 6 * PAGE_SIZE)

    def delete_all() -> int:
        total = 0
        with app.app_context():
            retention = Retention(RETENTION, clock=lambda: 0.0)
            while page := retention.delete_old_page(NOW):
                total += page
                time.sleep(0.01)  # a worker deletes a page a second
        return total

    waits: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        deletion = pool.submit(delete_all)
        while not deletion.done():
            started_at = time.monotonic()
            _press(app, seeded, NOW + timedelta(minutes=2 * len(waits)))
            waits.append(time.monotonic() - started_at)

    assert deletion.result() >= 6 * PAGE_SIZE - 1
    assert len(waits) > 1
    assert max(waits) < 4.0  # it would be refused after 5
