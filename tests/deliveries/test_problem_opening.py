"""The problem of a destination opens with the failure or the report that it is about, and counts a run once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.deliveries import fail_unqueued, record_by_customer_link, record_by_link, record_by_member
from webapp.deliveries.transitions import (
    ACCEPT,
    CLAIM,
    EXPIRE,
    FAIL,
    MARK_LOST,
    REFUSE,
    Transition,
    apply_transition,
    error_columns,
)
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import (
    AlertDelivery,
    DeliveryStatus,
    DestinationProblem,
    DrillNumber,
    ProblemKind,
    Receipt,
)

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

SECOND = {"drill": DrillNumber.SECOND}


def list_problems() -> Sequence[DestinationProblem]:
    db.session.expire_all()
    return db.session.scalars(select(DestinationProblem).order_by(DestinationProblem.id)).all()


def fail(delivery: AlertDelivery, now: Any = NOW, code: Code = Code.NOT_FOUND) -> None:
    """Let the running attempt of a delivery fail."""
    assert apply_transition(CLAIM, delivery.id, now, attempt_count=1)
    assert apply_transition(FAIL, delivery.id, now, **error_columns(code))
    db.session.commit()


def test_a_failed_second_drill_is_a_problem(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **SECOND)

    fail(delivery, NOW + seconds(3))

    (problem,) = list_problems()
    assert (problem.workspace_id, problem.alert_destination_id) == (seeded.harbor, seeded.destination)
    assert (problem.kind, problem.opened_at, problem.failed_at) == (
        ProblemKind.FAILING,
        NOW + seconds(3),
        NOW + seconds(3),
    )
    assert (problem.delivery_id, problem.message_at, problem.settings_version) == (delivery.id, NOW, 1)
    assert (problem.error_code, problem.error_message) == ("not_found", delivery.last_error_message)
    assert (problem.failure_count, problem.attention_at, problem.closed_at) == (1, NOW + seconds(3), None)


def test_a_failed_real_alert_is_a_problem(seeded: SeededIds) -> None:
    fail(add_real_alert(get_destination(seeded)))

    assert [problem.kind for problem in list_problems()] == [ProblemKind.FAILING]


@pytest.mark.parametrize("drill", [None, DrillNumber.FIRST])
def test_a_failed_press_and_a_first_drill_are_none(seeded: SeededIds, drill: DrillNumber | None) -> None:
    fail(add_delivery(get_destination(seeded), drill=drill))

    assert list_problems() == []


def test_a_run_of_failures_is_one_problem_that_knows_the_newest(seeded: SeededIds) -> None:
    fail(add_real_alert(get_destination(seeded)))
    newest = add_real_alert(get_destination(seeded), created_at=NOW + seconds(60))
    fail(newest, NOW + seconds(62), Code.GONE)

    (problem,) = list_problems()
    assert (problem.failure_count, problem.opened_at, problem.failed_at) == (2, NOW, NOW + seconds(62))
    assert (problem.delivery_id, problem.error_code) == (newest.id, "gone")


def test_a_closed_problem_is_followed_by_a_new_one(seeded: SeededIds) -> None:
    fail(add_real_alert(get_destination(seeded)))
    db.session.connection().exec_driver_sql(
        "UPDATE destination_problems SET closed_at = opened_at, end_reason = 'accepted'"
    )
    db.session.commit()

    fail(add_real_alert(get_destination(seeded)))

    assert [problem.closed_at is None for problem in list_problems()] == [False, True]


def _refuse(delivery: AlertDelivery) -> None:
    apply_transition(REFUSE, delivery.id, NOW, **error_columns(Code.CONFIG_UNREADABLE))


def _expire(delivery: AlertDelivery) -> None:
    apply_transition(EXPIRE, delivery.id, NOW, **error_columns(Code.NOT_STARTED))


def _lose(delivery: AlertDelivery) -> None:
    apply_transition(CLAIM, delivery.id, NOW, attempt_count=1)
    apply_transition(MARK_LOST, delivery.id, NOW, **error_columns(Code.WORKER_LOST))


def _fail_unqueued(delivery: AlertDelivery) -> None:
    fail_unqueued([delivery.id], NOW)


WAYS_TO_FAIL = [_refuse, _expire, _lose, _fail_unqueued]


@pytest.mark.parametrize("end", WAYS_TO_FAIL)
def test_every_way_to_fail_counts_for_a_real_alert(seeded: SeededIds, end: Callable[[AlertDelivery], None]) -> None:
    end(add_real_alert(get_destination(seeded)))
    db.session.commit()

    assert len(list_problems()) == 1


@pytest.mark.parametrize(("end", "is_problem"), list(zip(WAYS_TO_FAIL, [True, False, False, False], strict=True)))
def test_a_drill_at_which_alertcheck_itself_failed_says_nothing_about_the_destination(
    seeded: SeededIds, end: Callable[[AlertDelivery], None], is_problem: bool
) -> None:
    end(add_delivery(get_destination(seeded), **SECOND))
    db.session.commit()

    assert bool(list_problems()) is is_problem


def test_a_failure_that_is_rolled_back_opens_nothing(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **SECOND)
    apply_transition(EXPIRE, delivery.id, NOW, **error_columns(Code.CONNECT_REFUSED))

    db.session.rollback()

    assert list_problems() == []
    assert db.session.get_one(AlertDelivery, delivery.id).status is DeliveryStatus.QUEUED


def test_an_accepted_message_opens_nothing(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **SECOND)
    apply_transition(CLAIM, delivery.id, NOW, attempt_count=1)
    apply_transition(ACCEPT, delivery.id, NOW, sent_at=NOW)

    assert list_problems() == []


def test_a_failure_with_earlier_settings_opens_nothing(seeded: SeededIds) -> None:
    fail(add_delivery(get_destination(seeded), settings_version=0, **SECOND))

    assert list_problems() == []


def test_a_failure_of_a_disabled_destination_opens_nothing(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), **SECOND)
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW)

    fail(delivery)

    assert list_problems() == []


def _report_as_member(seeded: SeededIds, delivery: AlertDelivery) -> bool:
    return record_by_member(delivery, get_account(seeded), Receipt.MISSING, NOW + seconds(9))


def _report_as_customer(seeded: SeededIds, delivery: AlertDelivery) -> bool:
    return record_by_customer_link(delivery, get_account(seeded), Receipt.MISSING, NOW + seconds(9))


@pytest.mark.parametrize("report", [_report_as_member, _report_as_customer])
def test_a_message_that_is_reported_missing_is_a_problem(
    seeded: SeededIds, report: Callable[[SeededIds, AlertDelivery], bool]
) -> None:
    delivery = add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)

    report(seeded, delivery)
    report(seeded, delivery)

    (problem,) = list_problems()
    assert (problem.kind, problem.failed_at, problem.failure_count) == (ProblemKind.MISSING, NOW + seconds(9), 1)
    assert (problem.error_code, problem.error_message) == (None, None)


def test_a_message_that_was_seen_is_none(seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)

    record_by_member(delivery, get_account(seeded), Receipt.SEEN, NOW)
    record_by_link(delivery, NOW)

    assert list_problems() == []


def test_a_worker_and_recovery_that_fail_messages_of_one_destination_do_not_wait_for_each_other(
    app: Flask, seeded: SeededIds
) -> None:
    destination = get_destination(seeded)
    fail(add_real_alert(destination))
    waiting, running = add_real_alert(destination).id, add_real_alert(destination).id
    assert apply_transition(CLAIM, running, NOW, attempt_count=1)
    db.session.commit()

    def end(*steps: tuple[Transition, int]) -> None:
        with app.app_context():
            for transition, delivery_id in steps:
                apply_transition(transition, delivery_id, NOW + seconds(30), **error_columns(Code.NOT_FOUND))
            db.session.commit()

    with ThreadPoolExecutor(2) as pool:
        db.session.execute(update(DestinationProblem).values(failure_count=1))  # both have to wait for it
        recovery = pool.submit(end, (EXPIRE, waiting), (MARK_LOST, running))
        time.sleep(0.5)
        worker = pool.submit(end, (FAIL, running))
        time.sleep(0.5)
        db.session.commit()
        recovery.result()
        worker.result()

    assert [problem.failure_count for problem in list_problems()] == [3]
