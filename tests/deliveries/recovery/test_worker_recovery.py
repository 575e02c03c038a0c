"""Recovery: every pending delivery continues or ends by itself, and none stays Pending forever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from tests.deliveries.recovery.recovery_passes import recover, recover_at
from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    begin_claim_record,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp import queue
from webapp.app_state import app_state
from webapp.deliveries import WaitTracker
from webapp.deliveries.delivery_rows import WaitingRow
from webapp.deliveries.recovery import worker_recovery
from webapp.deliveries.recovery.overdue_and_lost import PlannedTransition
from webapp.deliveries.recovery.worker_recovery import PAGE_SIZE, PASS_TIME, Recovery
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture(autouse=True)
def complete_record(context: None) -> None:
    begin_claim_record()


def _outcome(delivery: AlertDelivery) -> tuple[DeliveryStatus, str | None]:
    db.session.refresh(delivery)
    return delivery.status, delivery.last_error_code


def _deferred(seeded: SeededIds, send_after: datetime, **facts: Any) -> AlertDelivery:
    facts = {"last_error_code": "remote_unavailable", "attempt_count": 1} | facts
    return add_delivery(get_destination(seeded), status=DeliveryStatus.DEFERRED, send_after=send_after, **facts)


def test_a_deferred_row_goes_back_to_the_queue_at_its_send_after(seeded: SeededIds, app_settings: AppSettings) -> None:
    due = _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + seconds(5)) == [due.id]
    assert (_outcome(due), due.send_after) == ((DeliveryStatus.QUEUED, "remote_unavailable"), None)


def test_a_deferred_row_is_not_queued_before_its_send_after(seeded: SeededIds, app_settings: AppSettings) -> None:
    _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + seconds(4.9)) == []


def test_a_queued_row_that_is_unclaimed_for_10_seconds_is_requeued(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    unclaimed = add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(10)) == [unclaimed.id]


def test_a_queued_row_is_not_requeued_within_10_seconds(seeded: SeededIds, app_settings: AppSettings) -> None:
    add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(9.9)) == []


def test_a_row_that_was_just_requeued_is_not_requeued_twice(seeded: SeededIds, app_settings: AppSettings) -> None:
    add_delivery(get_destination(seeded))
    recover_at(app_settings, NOW + seconds(10))

    assert recover_at(app_settings, NOW + seconds(11)) == []


def test_a_queued_row_that_is_unclaimed_for_two_minutes_ends_as_not_started(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(120)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "not_started")


def test_a_deferred_row_past_its_time_limit_ends_with_its_last_error(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = _deferred(seeded, NOW + seconds(50))

    recover_at(app_settings, NOW + seconds(120))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "remote_unavailable")


def test_an_attempt_older_than_20_seconds_ends_as_worker_lost(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    assert recover_at(app_settings, NOW, NOW + seconds(20)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")


def test_an_attempt_may_take_20_seconds(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW, NOW + seconds(19.9))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


def test_recovery_does_not_requeue_a_real_alert_of_another_program(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.QUEUED)

    assert recover_at(app_settings, NOW + seconds(3600)) == []
    assert _outcome(alert) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("status", [DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.CANCELED])
def test_a_completed_row_does_not_change(seeded: SeededIds, app_settings: AppSettings, status: DeliveryStatus) -> None:
    ended = add_delivery(get_destination(seeded), status=status, sent_at=NOW, last_error_code="not_found")

    recover_at(app_settings, NOW + seconds(3600))

    assert _outcome(ended) == (status, "not_found")


def test_each_row_is_recovered_by_one_of_several_workers(
    app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    ids = sorted(_deferred(seeded, NOW).id for _ in range(30))
    start = threading.Barrier(3)

    def recover_once() -> list[int]:
        start.wait()
        with app.app_context():
            return recover_at(app_settings, NOW + seconds(1))

    with ThreadPoolExecutor(3) as threads:
        results = [threads.submit(recover_once) for _ in range(3)]

    assert sorted(chain.from_iterable(result.result() for result in results)) == ids


def test_a_pass_ends_in_time_and_the_next_one_continues(seeded: SeededIds, app_settings: AppSettings) -> None:
    ids = [
        _deferred(seeded, NOW, updated_at=NOW - seconds(2), created_at=NOW - seconds(3)).id for _ in range(PAGE_SIZE)
    ]
    ids.append(_deferred(seeded, NOW).id)
    passed = count()
    recovery = Recovery(WaitTracker(), clock=lambda: next(passed) * PASS_TIME)  # so slow that each pass reads one page

    assert recovery.run(NOW + seconds(1), app_settings) == ids[:-1]
    assert recovery.is_behind
    assert recovery.run(NOW + seconds(1), app_settings) == ids[-1:]
    assert recovery.run(NOW + seconds(1), app_settings) == []  # sees the first ones again, which have just changed
    assert not recovery.is_behind


def test_rows_that_change_faster_than_they_are_read_keep_no_other_one_waiting(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    """As those of a busy worker do, while each pass is so slow that it reads one page."""
    busy = [add_delivery(get_destination(seeded), created_at=NOW).id for _ in range(2 * PAGE_SIZE)]
    deferred = _deferred(seeded, NOW + seconds(5))
    passed = count()
    recovery = Recovery(WaitTracker(), clock=lambda: next(passed) * PASS_TIME)
    enqueued = list[int]()

    for second in range(1, 10):
        db.session.execute(
            update(AlertDelivery).where(AlertDelivery.id.in_(busy)).values(updated_at=NOW + seconds(second))
        )
        db.session.commit()
        enqueued += recovery.run(NOW + seconds(second), app_settings)

    assert enqueued == [deferred.id]


def test_what_a_slow_pass_leaves_of_a_page_is_done_by_the_next_one(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    """Rows that end differently are not changed together."""
    expired = _deferred(seeded, NOW + seconds(500), created_at=NOW)
    resumed = _deferred(seeded, NOW + seconds(1), created_at=NOW + seconds(60), updated_at=NOW + seconds(60))
    passed = count()
    recovery = Recovery(WaitTracker(), clock=lambda: next(passed) * PASS_TIME)

    enqueued = [recovery.run(NOW + seconds(121), app_settings) for _ in range(2)]

    assert [resumed.id] in enqueued
    assert _outcome(expired)[0] is DeliveryStatus.FAILED
    assert not recovery.is_behind


def test_a_row_that_was_changed_since_it_was_read_is_left_alone(
    seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been attempted meanwhile, so that it would be false that nothing was sent."""
    row = add_delivery(get_destination(seeded), created_at=NOW, updated_at=NOW)

    def settle_late(due: list[tuple[WaitingRow, PlannedTransition]]) -> list[tuple[WaitingRow, PlannedTransition]]:
        db.session.execute(update(AlertDelivery).values(updated_at=NOW + seconds(119)))
        db.session.commit()
        return due

    monkeypatch.setattr(worker_recovery, "settle_expiries", settle_late)
    recover_at(app_settings, NOW + seconds(120))

    assert _outcome(row) == (DeliveryStatus.QUEUED, None)


def test_rows_that_are_not_due_do_not_displace_a_row_that_is_due(seeded: SeededIds, app_settings: AppSettings) -> None:
    for _ in range(PAGE_SIZE):
        _deferred(seeded, NOW + seconds(100), updated_at=NOW - seconds(1))
    due = _deferred(seeded, NOW + seconds(1))

    assert recover_at(app_settings, NOW + seconds(1)) == [due.id]


@pytest.mark.parametrize("step", [seconds(3600), seconds(-3600), seconds(86_400), seconds(-86_400)])
def test_a_running_attempt_is_not_marked_lost_when_the_clock_is_set(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW, NOW + seconds(5), clock_set_by=step)

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("step", [seconds(-3600), seconds(-86_400)])
def test_a_deferred_row_is_retried_on_time_although_the_clock_was_set_back(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    due = _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + step, NOW + step + seconds(4.9)) == []
    assert recover_at(app_settings, NOW + step, NOW + step + seconds(5)) == [due.id]


@pytest.mark.parametrize("step", [seconds(-3600), seconds(-86_400)])
def test_a_row_ends_after_two_minutes_although_the_clock_was_set_back(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    unclaimed = _deferred(seeded, NOW + seconds(119), updated_at=NOW - seconds(10))

    recover_at(app_settings, NOW + step, NOW + step + seconds(120))

    assert _outcome(unclaimed) == (DeliveryStatus.FAILED, "remote_unavailable")


@pytest.mark.parametrize(
    ("watched", "outcome"), [(8.9, (DeliveryStatus.QUEUED, None)), (9, (DeliveryStatus.FAILED, "worker_lost"))]
)
def test_a_new_worker_watches_an_old_attempt_for_9_seconds_before_it_marks_it_lost(
    seeded: SeededIds, app_settings: AppSettings, watched: float, outcome: tuple[DeliveryStatus, str | None]
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW + seconds(60), NOW + seconds(60 + watched))

    assert _outcome(delivery) == outcome


def test_an_attempt_that_is_not_20_seconds_old_is_not_lost_after_9(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW + seconds(10.8), NOW + seconds(19.9))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


def test_a_worker_that_is_replaced_every_12_seconds_still_ends_a_lost_attempt_within_half_a_minute(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    for born in (0, 12, 24):
        recover_at(app_settings, NOW + seconds(born), NOW + seconds(born + 10))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")
    assert delivery.updated_at <= NOW + seconds(34)


@pytest.mark.parametrize(("last", "outcome"), [(19.9, None), (20, "worker_lost")])
def test_workers_that_live_for_a_second_watch_an_attempt_together(
    seeded: SeededIds, app_settings: AppSettings, last: float, outcome: str | None
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    for at in (10, 13, 16, last):
        recover(NOW + seconds(at), app_settings, WaitTracker(partial(float, 1000 + at)))

    assert _outcome(delivery)[1] == outcome


def test_workers_that_live_for_a_second_do_not_believe_a_clock_that_was_set(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    for at in (2, 4, 6, 8, 10.9):
        recover(NOW + seconds(3600 + at), app_settings, WaitTracker(partial(float, 1000 + at)))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


def test_without_the_queue_server_a_worker_watches_an_attempt_alone(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)
    app_state().redis = queue.connect("redis://127.0.0.1:1")

    recover_at(app_settings, NOW + seconds(60), NOW + seconds(69))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")


def test_a_pass_with_nothing_to_do_fails_if_the_database_accepts_no_changes(
    app_settings: AppSettings, database: str
) -> None:
    read_only = {"sqlite": "PRAGMA query_only = ON", "postgres": "SET TRANSACTION READ ONLY"}
    db.session.execute(text(read_only[database]))

    with pytest.raises(DBAPIError):
        recover_at(app_settings, NOW)

    db.session.rollback()
    db.engine.dispose()
