"""What waits moves on by itself, or ends: nothing stays Pending for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from flask import Flask

from tests.deliveries.recovery_passes import recover_at
from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries.recovery import MAX_ROWS_PER_PASS, end_waiting, is_overdue
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _outcome(delivery: AlertDelivery) -> tuple[DeliveryStatus, str | None]:
    db.session.refresh(delivery)
    return delivery.status, delivery.last_error_code


def _deferred(seeded: SeededIds, send_after: datetime, **facts: Any) -> AlertDelivery:
    facts = {"last_error_code": "remote_unavailable", "attempt_count": 1} | facts
    return add_delivery(get_destination(seeded), status=DeliveryStatus.DEFERRED, send_after=send_after, **facts)


def test_a_deferred_row_goes_back_to_the_queue_when_its_time_has_come(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    due = _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + seconds(5)) == [due.id]
    assert (_outcome(due), due.send_after) == ((DeliveryStatus.QUEUED, "remote_unavailable"), None)


def test_a_deferred_row_waits_for_its_time(seeded: SeededIds, app_settings: AppSettings) -> None:
    _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + seconds(4.9)) == []


def test_a_queued_row_that_no_worker_touched_for_10_seconds_is_handed_over_again(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    forgotten = add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(10)) == [forgotten.id]


def test_a_queued_row_is_given_10_seconds_to_be_picked_up(seeded: SeededIds, app_settings: AppSettings) -> None:
    add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(9.9)) == []


def test_a_row_that_was_just_handed_over_is_not_handed_over_twice(seeded: SeededIds, app_settings: AppSettings) -> None:
    add_delivery(get_destination(seeded))
    recover_at(app_settings, NOW + seconds(10))

    assert recover_at(app_settings, NOW + seconds(11)) == []


def test_a_queued_row_that_no_worker_picked_up_in_two_minutes_ends_as_not_started(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded))

    assert recover_at(app_settings, NOW + seconds(120)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "not_started")


def test_a_deferred_row_whose_next_attempt_came_too_late_ends_with_what_happened_last(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = _deferred(seeded, NOW + seconds(50))

    recover_at(app_settings, NOW + seconds(120))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "remote_unavailable")


def test_an_attempt_older_than_20_seconds_has_lost_its_worker(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    assert recover_at(app_settings, NOW, NOW + seconds(20)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")


def test_an_attempt_is_given_20_seconds_to_end(seeded: SeededIds, app_settings: AppSettings) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW, NOW + seconds(19.9))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


def test_a_real_alert_of_another_program_is_not_sent_late_by_the_recovery(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.QUEUED)

    assert recover_at(app_settings, NOW + seconds(3600)) == []
    assert _outcome(alert) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("status", [DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.CANCELED])
def test_a_row_that_has_ended_is_left_alone(
    seeded: SeededIds, app_settings: AppSettings, status: DeliveryStatus
) -> None:
    ended = add_delivery(get_destination(seeded), status=status, sent_at=NOW, last_error_code="not_found")

    recover_at(app_settings, NOW + seconds(3600))

    assert _outcome(ended) == (status, "not_found")


def test_several_workers_share_the_rows_between_them(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> None:
    ids = sorted(_deferred(seeded, NOW).id for _ in range(30))
    start = threading.Barrier(3)

    def recover_once() -> list[int]:
        start.wait()
        with app.app_context():
            return recover_at(app_settings, NOW + seconds(1))

    with ThreadPoolExecutor(3) as threads:
        results = [threads.submit(recover_once) for _ in range(3)]

    assert sorted(chain.from_iterable(result.result() for result in results)) == ids


def test_without_a_worker_a_row_past_its_time_ends_when_somebody_looks(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded))

    assert not is_overdue(delivery, NOW + seconds(119), app_settings)
    assert is_overdue(delivery, NOW + seconds(120), app_settings)
    assert end_waiting(delivery, NOW + seconds(120))
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "not_started")


def test_rows_that_are_not_due_do_not_crowd_out_one_that_is(seeded: SeededIds, app_settings: AppSettings) -> None:
    for _ in range(MAX_ROWS_PER_PASS):
        _deferred(seeded, NOW + seconds(100), updated_at=NOW - seconds(1))
    due = _deferred(seeded, NOW + seconds(1))

    assert recover_at(app_settings, NOW + seconds(1)) == [due.id]


@pytest.mark.parametrize("step", [seconds(3600), seconds(-3600), seconds(86_400), seconds(-86_400)])
def test_a_worker_in_the_middle_of_a_send_is_not_given_up_on_when_the_clock_is_set(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW, NOW + seconds(5), clock_set_by=step)

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("step", [seconds(-3600), seconds(-86_400)])
def test_a_deferred_row_is_tried_after_its_wait_although_the_clock_was_set_back(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    due = _deferred(seeded, NOW + seconds(5))

    assert recover_at(app_settings, NOW + step, NOW + step + seconds(4.9)) == []
    assert recover_at(app_settings, NOW + step, NOW + step + seconds(5)) == [due.id]


@pytest.mark.parametrize("step", [seconds(-3600), seconds(-86_400)])
def test_a_row_ends_after_two_minutes_although_the_clock_was_set_back(
    seeded: SeededIds, app_settings: AppSettings, step: timedelta
) -> None:
    forgotten = _deferred(seeded, NOW + seconds(119), updated_at=NOW - seconds(10))

    recover_at(app_settings, NOW + step, NOW + step + seconds(120))

    assert _outcome(forgotten) == (DeliveryStatus.FAILED, "remote_unavailable")


def test_a_worker_that_was_just_started_gives_an_attempt_that_it_finds_20_seconds(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    delivery = add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1)

    recover_at(app_settings, NOW + seconds(60), NOW + seconds(79.9))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)
