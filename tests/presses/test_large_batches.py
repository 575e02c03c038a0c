"""Test all of many destinations: groups of 250, each in one transaction, while others press, edit and delete."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.exc import OperationalError

from benchmarks.installation.servers import QueueServer
from tests.deliveries.recovery.recovery_passes import recover
from tests.factories import NOW, SeededIds, add_delivery, get_account, get_workspace, on_both_databases, seconds
from tests.presses.one_press import count_one
from webapp import queue
from webapp.app_state import app_state, current_settings
from webapp.application import create_app
from webapp.auth.access import Visit
from webapp.deliveries import (
    CoolingDown,
    DestinationDisabled,
    WaitTracker,
    plan_test,
    request_test,
)
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, PlanEnd, PlannedTest, Role
from webapp.models.locking import lock_destinations
from webapp.presses import limit_enforcement
from webapp.presses.batches import BatchResult, press_each
from webapp.presses.eligibility import RequestResult
from webapp.presses.limit_enforcement import Press, Refusals
from webapp.presses.press import Refused, request_within_limits
from webapp.presses.testable_destinations import list_candidates
from webapp.settings import read_settings


@pytest.fixture
def large(environment: dict[str, str], seeded: SeededIds) -> Iterator[Flask]:
    """An installation in which a workspace may send 1,000 tests per minute."""
    app = create_app(read_settings(environment | {"ALERTCHECK_PRESSES_PER_WORKSPACE": "1000"}))
    yield app
    with app.app_context():
        db.engine.dispose()


def add_many(app: Flask, seeded: SeededIds, count: int) -> list[int]:
    """Add destinations whose settings nobody can read, so that only the workspace and the cooldown limit them."""
    facts = {"workspace_id": seeded.harbor, "type": "webhook", "config": "", "created_at": NOW, "updated_at": NOW}
    rows = [facts | {"name": f"Number {number}"} for number in range(count)]
    with app.app_context():
        ids = db.session.scalars(insert(AlertDestination).returning(AlertDestination.id), rows).all()
        db.session.commit()
        return sorted(ids)


def press(app: Flask, seeded: SeededIds, now: datetime = NOW) -> BatchResult:
    with app.app_context():
        visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
        return press_each(visit, list_candidates(seeded.harbor), now)


def left_out(result: BatchResult) -> dict[RequestResult, int]:
    return {part.reason: part.count for part in result.left_out}


def count_by_destination(app: Flask) -> Counter[int]:
    with app.app_context():
        return Counter(db.session.scalars(select(AlertDelivery.alert_destination_id)))


@on_both_databases
def test_a_thousand_destinations_are_requested_and_the_next_is_over_the_limit(
    large: Flask, seeded: SeededIds, queue_server: QueueServer
) -> None:
    numbers = [seeded.destination, *add_many(large, seeded, 1000)]

    result = press(large, seeded)

    assert (result.requested, left_out(result)) == (1000, {RequestResult.WORKSPACE_LIMIT: 1})
    with large.app_context():
        rows = db.session.scalars(select(AlertDelivery).order_by(AlertDelivery.id)).all()
        assert [row.alert_destination_id for row in rows] == numbers[:1000]
        assert {row.batch for row in rows} == {result.batch}
        assert len({row.reference for row in rows}) > 990
        assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
        tested = select(AuditEvent.destination_id).where(AuditEvent.action == "sent a test").order_by(AuditEvent.id)
        assert db.session.scalars(tested).all() == numbers[:1000]


@on_both_databases
def test_a_hundred_destinations_take_as_many_statements_as_fifty(
    large: Flask, seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def count(destinations: int) -> int:
        numbers = add_many(large, seeded, destinations)
        visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
        wanted = [each for each in list_candidates(seeded.harbor) if each.destination_id in numbers]
        with count_queries() as statements:
            assert press_each(visit, wanted, NOW).requested == destinations
        return len(statements)

    fifty, hundred, more_than_a_group = count(51), count(101), count(301)

    assert hundred == fifty
    assert more_than_a_group - hundred <= 10


@on_both_databases
def test_each_destination_of_a_group_is_checked_by_itself(large: Flask, seeded: SeededIds) -> None:
    names = ("first", "disabled", "deleted", "cooling", "old enough", "waiting", "planned", "future", "sending")
    ids = dict(zip(names, add_many(large, seeded, len(names)), strict=True))
    with large.app_context():
        candidates = list_candidates(seeded.harbor)  # before all that follows, as by a press that was slow
        admin, rows = get_account(seeded), {name: db.session.get_one(AlertDestination, ids[name]) for name in ids}
        set_enabled(rows["disabled"], admin, False, NOW)
        delete_destination(rows["deleted"], admin, NOW)
        add_delivery(rows["cooling"], created_at=NOW - seconds(50))
        add_delivery(rows["old enough"], created_at=NOW - seconds(61), status=DeliveryStatus.SENT, sent_at=NOW)
        late = NOW - seconds(70)
        waiting = add_delivery(
            rows["waiting"], created_at=late, status=DeliveryStatus.DEFERRED, send_after=NOW, attempt_count=1
        )
        plan_test(rows["planned"], admin, NOW - seconds(1))
        add_delivery(rows["future"], created_at=NOW + seconds(3600))
        sending = add_delivery(rows["sending"], created_at=late, attempt_started_at=NOW - seconds(1))

        result = press_each(Visit(admin, get_workspace(seeded), Role.ADMIN), candidates, NOW)

        assert left_out(result) == {RequestResult.DISABLED: 2, RequestResult.COOLING_DOWN: 1}
        written = db.session.scalars(select(AlertDelivery).where(AlertDelivery.batch == result.batch)).all()
        new = {row.alert_destination_id: row for row in written}
        accepted = [ids[name] for name in names if name not in ("disabled", "deleted", "cooling")]
        assert set(new) == {seeded.destination, *accepted}
        assert new[ids["future"]].created_at == NOW + seconds(3600)
        assert NOW <= new[ids["waiting"]].created_at < NOW + seconds(60)
        db.session.refresh(waiting)
        db.session.refresh(sending)
        assert (waiting.status, waiting.last_error_code) == (DeliveryStatus.CANCELED, "superseded")
        assert sending.status is DeliveryStatus.QUEUED
        plan = db.session.scalars(select(PlannedTest)).one()
        assert (plan.end_reason, plan.ended_by) == (PlanEnd.REPLACED, admin.name)


@on_both_databases
def test_a_group_that_fails_writes_nothing_and_counts_for_nothing(
    large: Flask, seeded: SeededIds, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = add_many(large, seeded, 30)

    def fail(*_arguments: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("webapp.deliveries.requesting.writing.record_destination_events", fail)
        with pytest.raises(RuntimeError):
            press(large, seeded)

    assert not count_by_destination(large)
    client = queue.connect(queue_server.url)
    assert client.keys("*test-send*") + client.keys("*presses:*") == []
    assert press(large, seeded).requested == len(numbers) + 1


def test_a_destination_that_the_database_refuses_counts_for_nothing(
    large: Flask, seeded: SeededIds, queue_server: QueueServer
) -> None:
    (number,) = add_many(large, seeded, 1)
    with large.app_context():
        candidates = list_candidates(seeded.harbor)
        add_delivery(db.session.get_one(AlertDestination, number), created_at=NOW - seconds(5))
        visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)

        result = press_each(visit, candidates, NOW)

        assert (result.requested, left_out(result)) == (1, {RequestResult.COOLING_DOWN: 1})
        client = queue.connect(queue_server.url)
        assert [client.zcard(key) for key in client.keys("*presses:*")] == [1]
        with count_one(number, None, seeded.clinic):
            pass


@on_both_databases
def test_the_limit_is_used_up_in_the_middle_of_a_group(
    environment: dict[str, str], seeded: SeededIds, queue_server: QueueServer
) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_PRESSES_PER_WORKSPACE": "137"}))
    numbers = [seeded.destination, *add_many(app, seeded, 249)]

    result = press(app, seeded)

    assert (result.requested, left_out(result)) == (137, {RequestResult.WORKSPACE_LIMIT: 113})
    assert set(count_by_destination(app)) == set(numbers[:137])
    client = queue.connect(queue_server.url)
    cooldowns = client.keys("*test-send*")
    assert len(cooldowns) == 137
    assert all(0 < client.ttl(key) <= 60 for key in cooldowns)
    with app.app_context():
        db.engine.dispose()


@on_both_databases
def test_redis_goes_away_after_the_second_group(
    large: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was enqueued stays; the third group is written by the database alone, and ends at once as unqueued."""
    add_many(large, seeded, 650)
    groups: list[int] = []

    def count(presses: Sequence[Press], refusals: Refusals, ids: dict[int, str]) -> None:
        groups.append(len(presses))
        if len(groups) == 3:
            with large.app_context():
                pool = app_state().redis.connection_pool
                pool.connection_kwargs |= {"path": "/nowhere"} if "path" in pool.connection_kwargs else {"port": 1}
                pool.reset()
        count_presses(presses, refusals, ids)

    count_presses = limit_enforcement._count
    monkeypatch.setattr(limit_enforcement, "_count", count)

    result = press(large, seeded)

    assert groups == [1, 250, 250]
    assert (result.requested, left_out(result)) == (501, {RequestResult.QUEUE_UNAVAILABLE: 150})
    with large.app_context():
        codes = Counter(db.session.scalars(select(AlertDelivery.last_error_code)))
        is_unqueued = AlertDelivery.last_error_code == "queue_unavailable"
        ends = set(db.session.scalars(select(AlertDelivery.updated_at).where(is_unqueued)))
    assert codes == {None: 251, "queue_unavailable": 250}
    assert len(ends) == 1


def test_the_database_is_locked_in_the_third_group(
    large: Flask, seeded: SeededIds, queue_server: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The groups before it are requested. The third is not, and counts for nothing, so the next press tests it."""
    add_many(large, seeded, 650)
    groups: list[int] = []

    def lock_while_another_writes(destinations: Sequence[AlertDestination]) -> None:
        groups.append(len(destinations))
        if len(groups) != 3:
            lock_destinations(destinations)
            return
        with db.engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE")
            db.session.rollback()
            db.session.connection().exec_driver_sql("PRAGMA busy_timeout = 10")
            lock_destinations(destinations)

    with monkeypatch.context() as patch:
        patch.setattr("webapp.deliveries.requesting.writing.lock_destinations", lock_while_another_writes)
        with pytest.raises(OperationalError):
            press(large, seeded)

    assert len(count_by_destination(large)) == 251
    assert len(queue.connect(queue_server.url).keys("*test-send*")) == 251
    assert press(large, seeded, NOW + seconds(1)).requested == 400
    assert set(count_by_destination(large).values()) == {1}


# At once with others


def run_at_once(app: Flask, *actions: Callable[[], object]) -> None:
    """Run each action in its own thread. Raises what one raises."""

    def run(action: Callable[[], object]) -> None:
        with app.app_context():
            action()

    with ThreadPoolExecutor(len(actions)) as threads:
        list(threads.map(run, actions))


@on_both_databases
def test_two_at_once_test_each_of_many_destinations_once(large: Flask, seeded: SeededIds) -> None:
    numbers = [seeded.destination, *add_many(large, seeded, 250)]
    results: list[BatchResult] = []

    run_at_once(large, *[lambda: results.append(press(large, seeded))] * 2)

    assert count_by_destination(large) == dict.fromkeys(numbers, 1)
    for result in results:
        assert result.requested + sum(left_out(result).values()) == len(numbers)


@on_both_databases
def test_single_presses_meanwhile_test_each_destination_once(large: Flask, seeded: SeededIds) -> None:
    numbers = [seeded.destination, *add_many(large, seeded, 150)]
    results: list[BatchResult] = []
    accepted: list[int] = []

    def press_one_by_one() -> None:
        visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
        for number in random.Random(7).sample(numbers, 60):
            with suppress(Refused):
                request_within_limits(visit, db.session.get_one(AlertDestination, number), NOW)
                accepted.append(number)

    run_at_once(large, lambda: results.append(press(large, seeded)), press_one_by_one)

    assert count_by_destination(large) == dict.fromkeys(numbers, 1)
    assert results[0].requested + len(accepted) == len(numbers)


@on_both_databases
def test_two_at_once_without_redis_test_each_destination_once(
    large: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database alone decides, and two groups lock the same destinations in another order."""
    numbers = [seeded.destination, *add_many(large, seeded, 120)]
    monkeypatch.setattr("webapp.presses.limit_enforcement._count", lambda *_arguments: None)

    def press_in(order: int) -> None:
        visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
        press_each(visit, list_candidates(seeded.harbor)[::order], NOW)

    run_at_once(large, lambda: press_in(1), lambda: press_in(-1))

    assert count_by_destination(large) == dict.fromkeys(numbers, 1)


@on_both_databases
@pytest.mark.parametrize("attempt", range(2))
def test_presses_edits_and_deletions_meanwhile_end_one_after_the_other(
    large: Flask, seeded: SeededIds, attempt: int
) -> None:
    numbers = add_many(large, seeded, 60)
    draw = random.Random(attempt)

    def change(chosen: Sequence[int]) -> None:
        for number in chosen:
            destination = db.session.get_one(AlertDestination, number)
            kind = number % 4
            try:
                if kind == 0:
                    request_test(destination, get_account(seeded), NOW)
                elif kind == 1:
                    set_enabled(destination, get_account(seeded), False, NOW)
                elif kind == 2:
                    delete_destination(destination, get_account(seeded), NOW)
                else:
                    plan_test(destination, get_account(seeded), NOW)
            except (CoolingDown, DestinationDisabled):
                pass

    run_at_once(
        large,
        lambda: press(large, seeded),
        lambda: change(draw.sample(numbers, len(numbers))),
        lambda: change(draw.sample(numbers, len(numbers))),
    )

    counts = count_by_destination(large)
    assert set(counts.values()) == {1}
    assert {number for number in numbers if number % 4 in (0, 3)} <= set(counts)


@on_both_databases
def test_recovery_meanwhile_waits_for_no_group_that_waits_for_it(large: Flask, seeded: SeededIds) -> None:
    """Recovery finds the deliveries in another order than Test all, and both change all of them."""
    numbers = add_many(large, seeded, 60)
    with large.app_context():
        for number in numbers:
            age = timedelta(seconds=70, milliseconds=number)
            add_delivery(
                db.session.get_one(AlertDestination, number),
                created_at=NOW - age,
                updated_at=NOW - age,
                status=DeliveryStatus.DEFERRED,
                send_after=NOW - seconds(1),
                attempt_count=1,
            )

    run_at_once(large, lambda: press(large, seeded), lambda: recover(NOW, current_settings(), WaitTracker()))

    assert count_by_destination(large) == {seeded.destination: 1} | dict.fromkeys(numbers, 2)
    with large.app_context():
        canceled = select(func.count()).select_from(AlertDelivery).where(AlertDelivery.last_error_code == "superseded")
        assert db.session.scalar(canceled) == len(numbers)
