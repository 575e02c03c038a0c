"""Whoever looks ends what is overdue, whatever workers are alive."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from benchmarks.installation.servers import QueueServer
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
from tests.queue_keys import key_of
from webapp import queue
from webapp.app_state import app_state
from webapp.deliveries import WaitTracker, end_if_overdue, end_overdue_tests
from webapp.deliveries.recovery import page_recovery
from webapp.deliveries.transitions import CLAIM, DEFER, RESUME, apply_if_unchanged, apply_transition, error_columns
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDelivery, DeliveryStatus

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

PENDING, LOST, NOT_STARTED = (
    (DeliveryStatus.QUEUED, None),
    (DeliveryStatus.FAILED, "worker_lost"),
    (DeliveryStatus.FAILED, "not_started"),
)


@pytest.fixture(autouse=True)
def worker_is_alive(context: None) -> None:
    queue.record_heartbeat("host:1")


@pytest.fixture(autouse=True)
def complete_record(context: None) -> None:
    begin_claim_record()


def _outcome(delivery: AlertDelivery) -> tuple[DeliveryStatus, str | None]:
    db.session.refresh(delivery)
    return delivery.status, delivery.last_error_code


def _sending(seeded: SeededIds, **facts: Any) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **{"attempt_started_at": NOW, "attempt_count": 1} | facts)


def _look(delivery: AlertDelivery, *moments: datetime) -> None:
    """Look at a row at these times, as one web process does."""
    elapsed = 0.0
    app_state().looks = WaitTracker(lambda: elapsed)
    for moment in moments:
        elapsed = (moment - moments[0]).total_seconds()
        end_if_overdue(delivery, moment)


@pytest.mark.parametrize(("age", "outcome"), [(120.9, PENDING), (121, NOT_STARTED)])
def test_a_row_that_nobody_claimed_ends_at_the_first_look_after_its_time_limit(
    seeded: SeededIds, age: float, outcome: tuple[DeliveryStatus, str | None]
) -> None:
    delivery = add_delivery(get_destination(seeded))

    _look(delivery, NOW + seconds(age))

    assert _outcome(delivery) == outcome


def test_a_deferred_row_that_nobody_resumes_ends_with_its_cause(seeded: SeededIds) -> None:
    facts = {"send_after": NOW + seconds(5), "attempt_count": 1, "last_error_code": "remote_unavailable"}
    delivery = add_delivery(get_destination(seeded), status=DeliveryStatus.DEFERRED, **facts)

    _look(delivery, NOW + seconds(121))

    assert _outcome(delivery) == (DeliveryStatus.FAILED, "remote_unavailable")


@pytest.mark.parametrize(("watched", "outcome"), [(8.9, PENDING), (9, LOST)])
def test_an_old_attempt_ends_when_one_web_process_has_watched_it_for_9_seconds(
    seeded: SeededIds, watched: float, outcome: tuple[DeliveryStatus, str | None]
) -> None:
    delivery = _sending(seeded)

    _look(delivery, NOW + seconds(60), NOW + seconds(60 + watched))

    assert _outcome(delivery) == outcome


def test_a_new_test_with_the_id_of_one_that_a_failover_lost_has_its_whole_time(seeded: SeededIds) -> None:
    lost = add_delivery(get_destination(seeded))
    delivery_id, pressed_at = lost.id, NOW + seconds(200)
    elapsed = 0.0
    app_state().looks = WaitTracker(lambda: elapsed)
    end_if_overdue(lost, NOW)
    db.session.delete(lost)
    delivery = add_delivery(get_destination(seeded), id=delivery_id, created_at=pressed_at, updated_at=pressed_at)

    elapsed = 200.0
    end_if_overdue(delivery, pressed_at)

    assert _outcome(delivery) == PENDING


@pytest.mark.parametrize("step", [seconds(3600), seconds(86_400)])
def test_a_clock_that_was_set_ends_no_live_attempt(seeded: SeededIds, step: Any) -> None:
    delivery = _sending(seeded)

    _look(delivery, NOW + step, NOW + step + seconds(8))

    assert _outcome(delivery) == PENDING


def test_an_attempt_ends_after_20_seconds_although_the_clock_was_set_back(seeded: SeededIds) -> None:
    delivery = _sending(seeded, attempt_started_at=NOW + seconds(3600), created_at=NOW + seconds(3600))

    _look(delivery, NOW, NOW + seconds(19.9))
    assert _outcome(delivery) == PENDING
    _look(delivery, NOW, NOW + seconds(20))

    assert _outcome(delivery) == LOST


def test_an_attempt_that_has_changed_is_watched_anew(seeded: SeededIds) -> None:
    elapsed = 0.0
    app_state().looks = WaitTracker(lambda: elapsed)
    delivery = _sending(seeded)
    end_if_overdue(delivery, NOW + seconds(21))
    delivery.updated_at = NOW + seconds(22)
    db.session.commit()

    for elapsed in (1.0, 9.9):
        end_if_overdue(delivery, NOW + seconds(21 + elapsed))
    assert _outcome(delivery) == PENDING
    elapsed = 10.0
    end_if_overdue(delivery, NOW + seconds(31))

    assert _outcome(delivery) == LOST


def test_an_attempt_that_ended_since_it_was_read_ends_no_later_one(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later attempt is live, and would be reported as lost."""
    delivery = _sending(seeded)

    def apply_late(*facts: Any) -> bool:
        begun = NOW + seconds(20)
        failed = error_columns(Code.CONNECT_TIMEOUT) | {"send_after": begun}
        apply_transition(DEFER, delivery.id, begun, **failed)
        apply_transition(RESUME, delivery.id, begun)
        apply_transition(CLAIM, delivery.id, begun, attempt_count=2)
        return apply_if_unchanged(*facts)

    monkeypatch.setattr(page_recovery, "apply_if_unchanged", apply_late)
    _look(delivery, NOW + seconds(11), NOW + seconds(21))

    assert _outcome(delivery)[0] is DeliveryStatus.QUEUED


def test_without_any_worker_an_attempt_past_the_time_limit_ends_at_the_first_look(
    seeded: SeededIds, queue_server: QueueServer
) -> None:
    Redis.from_url(queue_server.url).delete(key_of("workers"))
    delivery = _sending(seeded)

    _look(delivery, NOW + seconds(121))

    assert _outcome(delivery) == LOST


def test_a_list_ends_the_overdue_rows_of_its_workspace_alone(seeded: SeededIds) -> None:
    own, fresh = (
        add_delivery(get_destination(seeded)),
        add_delivery(get_destination(seeded), created_at=NOW + seconds(9)),
    )

    end_overdue_tests(seeded.clinic, NOW + seconds(125))
    assert _outcome(own) == PENDING
    end_overdue_tests(seeded.harbor, NOW + seconds(125))

    assert (_outcome(own), _outcome(fresh)) == (NOT_STARTED, PENDING)


def test_a_list_that_is_looked_at_again_ends_an_attempt_before_the_time_limit(seeded: SeededIds) -> None:
    elapsed = 0.0
    app_state().looks = WaitTracker(lambda: elapsed)
    delivery = _sending(seeded)

    for elapsed in (11.0, 21.0):
        end_overdue_tests(seeded.harbor, NOW + seconds(elapsed))

    assert _outcome(delivery) == LOST


def test_a_real_alert_is_left_to_the_workers(seeded: SeededIds) -> None:
    alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.QUEUED)

    _look(alert, NOW + seconds(100_000))

    assert _outcome(alert) == PENDING


def test_a_database_that_accepts_no_changes_leaves_an_overdue_row_to_be_read(seeded: SeededIds, database: str) -> None:
    delivery = add_delivery(get_destination(seeded), created_at=NOW)
    db.session.commit()
    read_only = {"sqlite": "PRAGMA query_only = ON", "postgres": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"}
    db.session.execute(text(read_only[database]))
    db.session.commit()

    assert not end_if_overdue(delivery, NOW + seconds(600))

    assert _outcome(delivery) == PENDING


def test_an_attempt_that_may_still_run_is_left_alone_even_past_the_time_limit(
    seeded: SeededIds, queue_server: QueueServer
) -> None:
    Redis.from_url(queue_server.url).flushall()  # no worker has a heartbeat
    delivery = _sending(seeded, attempt_started_at=NOW + seconds(119))

    _look(delivery, NOW + seconds(122))

    assert _outcome(delivery) == PENDING


def test_many_overdue_rows_end_in_one_transaction(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    deliveries = [add_delivery(get_destination(seeded)) for _ in range(5)]

    with count_queries() as statements:
        end_overdue_tests(seeded.harbor, NOW + seconds(125))

    assert [statement.split()[0] for statement in statements] == ["SELECT"] + ["UPDATE"] * 5
    assert {_outcome(delivery) for delivery in deliveries} == {NOT_STARTED}
