"""What waits moves on by itself, or ends: nothing stays Pending for ever."""

import threading
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from tests.cast import NOW, Cast, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries import end_overdue, recover
from webapp.deliveries.recovery import AT_ONCE
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _outcome(delivery: AlertDelivery) -> tuple[DeliveryStatus, str | None]:
    db.session.refresh(delivery)
    return delivery.status, delivery.last_error_code


def _deferred(cast: Cast, send_after: datetime, **facts: Any) -> AlertDelivery:
    facts = {"last_error_code": "remote_unavailable", "attempt_count": 1} | facts
    return add_delivery(get_destination(cast), status=DeliveryStatus.DEFERRED, send_after=send_after, **facts)


def test_a_deferred_row_goes_back_to_the_queue_when_its_time_has_come(cast: Cast) -> None:
    due = _deferred(cast, NOW + seconds(5))

    assert recover(NOW + seconds(5)) == [due.id]
    assert (_outcome(due), due.send_after) == ((DeliveryStatus.QUEUED, "remote_unavailable"), None)


def test_a_deferred_row_waits_for_its_time(cast: Cast) -> None:
    _deferred(cast, NOW + seconds(5))

    assert recover(NOW + seconds(4.9)) == []


def test_a_queued_row_that_no_worker_touched_for_10_seconds_is_handed_over_again(cast: Cast) -> None:
    forgotten = add_delivery(get_destination(cast))

    assert recover(NOW + seconds(10)) == [forgotten.id]


def test_a_queued_row_is_given_10_seconds_to_be_picked_up(cast: Cast) -> None:
    add_delivery(get_destination(cast))

    assert recover(NOW + seconds(9.9)) == []


def test_a_row_that_was_just_handed_over_is_not_handed_over_twice(cast: Cast) -> None:
    add_delivery(get_destination(cast))
    recover(NOW + seconds(10))

    assert recover(NOW + seconds(11)) == []


def test_a_queued_row_that_no_worker_picked_up_in_two_minutes_ends_as_not_started(cast: Cast) -> None:
    delivery = add_delivery(get_destination(cast))

    assert recover(NOW + seconds(120)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "not_started")


def test_a_deferred_row_whose_next_attempt_came_too_late_ends_with_what_happened_last(cast: Cast) -> None:
    delivery = _deferred(cast, NOW + seconds(50))

    recover(NOW + seconds(120))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "remote_unavailable")


def test_an_attempt_older_than_20_seconds_has_lost_its_worker(cast: Cast) -> None:
    delivery = add_delivery(get_destination(cast), attempt_started_at=NOW, attempt_count=1)

    assert recover(NOW + seconds(20)) == []
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")


def test_an_attempt_is_given_20_seconds_to_end(cast: Cast) -> None:
    delivery = add_delivery(get_destination(cast), attempt_started_at=NOW, attempt_count=1)

    recover(NOW + seconds(19.9))

    assert _outcome(delivery) == (DeliveryStatus.QUEUED, None)


def test_a_real_alert_is_not_sent_late_by_the_recovery(cast: Cast) -> None:
    alert = add_real_alert(get_destination(cast), status=DeliveryStatus.QUEUED)

    assert recover(NOW + seconds(3600)) == []
    assert _outcome(alert) == (DeliveryStatus.QUEUED, None)


@pytest.mark.parametrize("status", [DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.CANCELED])
def test_a_row_that_has_ended_is_left_alone(cast: Cast, status: DeliveryStatus) -> None:
    ended = add_delivery(get_destination(cast), status=status, sent_at=NOW, last_error_code="not_found")

    recover(NOW + seconds(3600))

    assert _outcome(ended) == (status, "not_found")


def test_several_workers_share_the_rows_between_them(app: Flask, cast: Cast) -> None:
    ids = sorted(_deferred(cast, NOW).id for _ in range(30))
    recovered: list[int] = []
    start = threading.Barrier(3)

    def pass_once() -> None:
        start.wait()
        with app.app_context():
            recovered.extend(recover(NOW + seconds(1)))

    workers = [threading.Thread(target=pass_once) for _ in range(3)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]

    assert sorted(recovered) == ids


def test_without_a_worker_a_row_past_its_time_ends_when_somebody_looks(cast: Cast) -> None:
    delivery = add_delivery(get_destination(cast))

    assert not end_overdue(delivery, NOW + seconds(119))
    assert end_overdue(delivery, NOW + seconds(120))
    assert _outcome(delivery) == (DeliveryStatus.FAILED, "not_started")


def test_looking_moves_nothing_back_into_the_queue(cast: Cast) -> None:
    due = _deferred(cast, NOW)

    assert not end_overdue(due, NOW + seconds(60))
    assert _outcome(due)[0] is DeliveryStatus.DEFERRED


def test_rows_that_are_not_due_do_not_crowd_out_one_that_is(cast: Cast) -> None:
    for _ in range(AT_ONCE):
        _deferred(cast, NOW + seconds(100), updated_at=NOW - seconds(1))
    due = _deferred(cast, NOW + seconds(1))

    assert recover(NOW + seconds(1)) == [due.id]


def test_an_attempt_from_the_future_has_lost_its_worker_too(cast: Cast) -> None:
    delivery = add_delivery(get_destination(cast), attempt_started_at=NOW + seconds(3600), attempt_count=1)

    recover(NOW)

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "worker_lost")
