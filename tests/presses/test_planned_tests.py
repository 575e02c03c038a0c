"""Planned tests: what makes, runs and ends them, on both databases, also with several workers and killed ones."""

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, pairwise
from threading import Barrier
from typing import NoReturn

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select, text, update

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW, SIGNING_SECRET, SeededIds, get_workspace, seconds
from tests.queue_keys import key_of
from webapp import queue
from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE
from webapp.auth.access import Visit
from webapp.auth.accounts import add_account
from webapp.destinations.editing import add_destination, change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    AuditEvent,
    DeliveryStatus,
    Member,
    PlanEnd,
    PlannedTest,
    Role,
)
from webapp.presses.eligibility import RequestResult
from webapp.presses.enqueueing import enqueue_or_fail
from webapp.presses.planned_test_runs import KEPT_FOR, PASS_TIME, PlannedTestRuns
from webapp.presses.planned_tests import cancel, press_or_plan
from webapp.presses.press import press
from webapp.settings import SendLimits
from webapp.workspaces import account_disabling, membership_changes
from webapp.workspaces.membership_changes import set_role

Share = Callable[[str], tuple[Flask, SeededIds]]

DUE = NOW + seconds(60)


@dataclass
class Place:
    """A destination of its own and a member who plans tests for it."""

    app: Flask
    seeded: SeededIds
    redis: Redis
    destination_id: int
    planner_id: int

    @property
    def destination(self) -> AlertDestination:
        return db.session.get_one(AlertDestination, self.destination_id)

    @property
    def planner(self) -> Account:
        return db.session.get_one(Account, self.planner_id)

    def visit(self, role: Role = Role.SUPPORT) -> Visit:
        return Visit(self.planner, get_workspace(self.seeded), role)

    def press(self, now: datetime) -> RequestResult:
        return press(self.visit(), self.destination, now).result

    def plan(self, now: datetime) -> RequestResult:
        return press_or_plan(self.visit(), self.destination, now).result

    def let_redis_forget(self) -> None:
        """End the cooldown in Redis, whose clock does not follow the `now` of a test."""
        for key in self.redis.scan_iter("*test-send*"):
            self.redis.delete(key)

    def run(self, now: datetime) -> None:
        self.let_redis_forget()
        runs = PlannedTestRuns()
        while runs.run(now):
            pass

    def deliveries(self) -> list[AlertDelivery]:
        mine = AlertDelivery.alert_destination_id == self.destination_id
        db.session.rollback()
        return list(db.session.scalars(select(AlertDelivery).where(mine).order_by(AlertDelivery.id)))

    def planned(self) -> PlannedTest | None:
        db.session.rollback()
        mine = PlannedTest.alert_destination_id == self.destination_id
        return db.session.scalars(select(PlannedTest).where(mine)).one_or_none()

    def end(self) -> PlanEnd | None:
        planned = self.planned()
        assert planned is not None
        return planned.end_reason

    def is_waiting(self) -> bool:
        planned = self.planned()
        return planned is not None and planned.ended_at is None

    def trail(self) -> list[tuple[str, str, str, list[str]]]:
        mine = AuditEvent.destination_id == self.destination_id
        events = db.session.scalars(select(AuditEvent).where(mine).order_by(AuditEvent.id)).all()
        return [(event.account_name, event.action, event.result, event.changed) for event in events[1:]]

    def jobs(self) -> int:
        return int(self.redis.llen(key_of("rq:queue:alertcheck")))


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, shared: Share, queue_server: QueueServer) -> Iterator[Place]:
    app, seeded = shared(request.param)
    redis = queue.connect(queue_server.url)
    redis.flushall()
    with app.app_context():
        yield _make_place(app, seeded, redis)
        db.session.rollback()
        db.session.execute(update(PlannedTest).values(ended_at=NOW - KEPT_FOR * 2, end_reason=PlanEnd.EXPIRED))
        db.session.commit()


def _make_place(app: Flask, seeded: SeededIds, redis: Redis, origin: str = "https://a.example") -> Place:
    harbor, number = get_workspace(seeded), random.getrandbits(64)
    planner = add_account(f"planner-{number}@example.com", "Planner", None, NOW)
    set_role(harbor, planner, Role.SUPPORT)
    settings = {"address": f"{origin}/{number}", "signing_secret": SIGNING_SECRET}
    destination = add_destination(harbor, planner, "webhook", "Pager", settings, current_settings().cipher, NOW)
    return Place(app, seeded, redis, destination.id, planner.id)


@pytest.fixture
def planned(place: Place) -> Place:
    """A destination that was tested at `NOW`, and whose next test is planned for a minute later."""
    assert place.press(NOW) is RequestResult.ACCEPTED
    assert place.plan(NOW + seconds(19)) is RequestResult.PLANNED
    return place


# Making one


def test_without_a_cooldown_a_press_is_sent_at_once(place: Place) -> None:
    assert place.plan(NOW) is RequestResult.ACCEPTED
    assert (len(place.deliveries()), place.planned()) == (1, None)


def test_during_the_cooldown_a_press_is_planned_for_its_end_and_writes_no_delivery(planned: Place) -> None:
    plan = planned.planned()

    assert plan is not None
    assert (plan.due_at, plan.created_at, plan.planned_by_id) == (DUE, NOW + seconds(19), planned.planner_id)
    assert (len(planned.deliveries()), planned.jobs()) == (1, 1)
    assert ("Planner", "planned a test", "done", []) in planned.trail()


def test_a_second_plan_leaves_the_first_one_as_it_is(planned: Place) -> None:
    first = planned.planned()
    assert first is not None
    other = Visit(db.session.get_one(Account, planned.seeded.admin), get_workspace(planned.seeded), Role.ADMIN)

    assert press_or_plan(other, planned.destination, NOW + seconds(30)).result is RequestResult.PLANNED

    second = planned.planned()
    assert second is not None
    assert (second.id, second.planned_by_id) == (first.id, planned.planner_id)
    assert [action for _, action, *_ in planned.trail()].count("planned a test") == 1


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_who_may_not_test_may_not_plan(planned: Place, role: Role) -> None:
    assert press_or_plan(planned.visit(role), planned.destination, NOW).result is RequestResult.NOT_ALLOWED


def test_a_plan_that_has_expired_or_ended_makes_room_for_a_new_one(planned: Place) -> None:
    later = DUE + timedelta(hours=1)
    planned.let_redis_forget()
    assert planned.press(later) is RequestResult.ACCEPTED

    assert planned.plan(later + seconds(1)) is RequestResult.PLANNED
    assert planned.is_waiting()


# Running it


@pytest.mark.parametrize(("early", "sent"), [(0.001, 1), (0, 2)])
def test_a_planned_test_is_sent_when_the_cooldown_is_over_and_not_before(
    planned: Place, early: float, sent: int
) -> None:
    planned.run(DUE - seconds(early))

    assert len(planned.deliveries()) == sent
    assert planned.is_waiting() is (sent == 1)


def test_it_is_an_ordinary_test_send_of_its_planner_with_the_settings_of_its_time(planned: Place) -> None:
    settings = {"address": "https://b.example/", "signing_secret": ""}
    change_destination(planned.destination, planned.planner, "Pager", settings, current_settings().cipher, NOW)

    planned.run(DUE + seconds(0.5))

    newest = planned.deliveries()[-1]
    assert (newest.status, newest.created_at, newest.requested_by_id) == (
        DeliveryStatus.QUEUED,
        DUE + seconds(0.5),
        planned.planner_id,
    )
    assert newest.settings_version == planned.destination.settings_version == 2
    assert (planned.planned(), planned.jobs()) == (None, 2)
    assert planned.trail()[-1] == ("Planner", "sent a test", "done", ["planned"])


def test_it_is_sent_once_however_often_the_worker_looks(planned: Place) -> None:
    for later in (0, 0.5, 1, 61, 125):
        planned.run(DUE + seconds(later))

    assert len(planned.deliveries()) == 2


def test_while_the_cooldown_in_redis_lasts_it_waits(planned: Place) -> None:
    PlannedTestRuns().run(DUE)
    assert (len(planned.deliveries()), planned.is_waiting()) == (1, True)

    planned.run(DUE + seconds(1))
    assert len(planned.deliveries()) == 2


@pytest.mark.parametrize(("late", "sent", "end"), [(119.9, 2, None), (120, 1, PlanEnd.EXPIRED)])
def test_it_expires_two_minutes_after_its_time(planned: Place, late: float, sent: int, end: PlanEnd | None) -> None:
    planned.run(DUE + seconds(late))

    ended = planned.planned()
    assert (len(planned.deliveries()), ended and ended.end_reason) == (sent, end)


def test_a_clock_that_is_set_back_by_an_hour_delays_it_by_no_hour(planned: Place) -> None:
    planned.run(NOW - timedelta(hours=1))

    assert len(planned.deliveries()) == 2


def test_without_a_queue_server_its_row_ends_as_that_of_a_press_does(
    planned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> NoReturn:
        raise queue.QueueUnavailable(queue.QueueOutage.UNKNOWN_HOST)

    monkeypatch.setattr(queue, "enqueue_deliveries", refuse)
    planned.run(DUE)

    assert planned.deliveries()[-1].last_error_code == "queue_unavailable"
    assert planned.planned() is None


def test_one_that_fails_does_not_hold_up_the_others(
    planned: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = _make_place(planned.app, planned.seeded, planned.redis)
    other.press(NOW + seconds(1))
    other.plan(NOW + seconds(2))
    list_targets = "webapp.presses.press.list_targets"

    def fail_for_one(destination: AlertDestination, slug: str) -> tuple[()]:
        if destination.id == planned.destination_id:
            raise RuntimeError("canary-7f3a9c")
        return ()

    monkeypatch.setattr(list_targets, fail_for_one)
    planned.run(DUE + seconds(2))

    assert (len(planned.deliveries()), len(other.deliveries())) == (1, 2)
    assert "planned test failed" in caplog.text
    assert "canary" not in caplog.text


def test_a_pass_ends_in_time_and_the_next_one_continues(planned: Place) -> None:
    other = _make_place(planned.app, planned.seeded, planned.redis)
    other.press(NOW + seconds(1))
    other.plan(NOW + seconds(1))
    planned.let_redis_forget()
    passed = count()
    runs = PlannedTestRuns(clock=lambda: next(passed) * PASS_TIME)  # so slow that each pass makes one request

    assert [runs.run(DUE + seconds(2)) for _ in range(2)] == [True, False]

    assert (len(planned.deliveries()), len(other.deliveries())) == (2, 2)


# Ending it


def _remove_member(place: Place) -> None:
    membership_changes.remove_member(
        db.session.get_one(Member, (place.seeded.harbor, place.planner_id)), NOW, COMMAND_LINE
    )
    db.session.commit()


def _lower_role(place: Place) -> None:
    membership_changes.grant_role(get_workspace(place.seeded), place.planner, Role.VIEWER, NOW, COMMAND_LINE)
    db.session.commit()


def _deactivate(place: Place) -> None:
    account_disabling.set_active(place.planner, False, NOW, COMMAND_LINE)
    db.session.commit()


def _disable(place: Place) -> None:
    set_enabled(place.destination, place.planner, False, NOW)


def _delete(place: Place) -> None:
    delete_destination(place.destination, place.planner, NOW)


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (_remove_member, PlanEnd.NOT_ALLOWED),
        (_lower_role, PlanEnd.NOT_ALLOWED),
        (_deactivate, PlanEnd.NOT_ALLOWED),
        (_disable, PlanEnd.DISABLED),
        (_delete, PlanEnd.DISABLED),
    ],
)
def test_it_ends_at_once_with_what_it_needs(planned: Place, change: Callable[[Place], None], end: PlanEnd) -> None:
    change(planned)

    assert planned.end() is end
    planned.run(DUE)
    assert len(planned.deliveries()) == 1


def test_a_role_that_may_still_test_keeps_it(planned: Place) -> None:
    membership_changes.grant_role(get_workspace(planned.seeded), planned.planner, Role.ADMIN, NOW, COMMAND_LINE)
    db.session.commit()

    planned.run(DUE)

    assert len(planned.deliveries()) == 2


def test_a_destination_that_is_disabled_and_enabled_again_has_no_planned_test(planned: Place) -> None:
    _disable(planned)
    set_enabled(planned.destination, planned.planner, True, NOW)

    planned.run(DUE)

    assert len(planned.deliveries()) == 1


def _change_behind(statement: str) -> Callable[[Place], None]:
    """Change a row as another program, or another transaction at the same instant, may do."""

    def change(place: Place) -> None:
        ids = {"planner": place.planner_id, "destination": place.destination_id}
        db.session.execute(text(statement), ids)
        db.session.commit()

    return change


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (_change_behind("DELETE FROM members WHERE account_id = :planner"), PlanEnd.NOT_ALLOWED),
        (_change_behind("UPDATE members SET role = 'viewer' WHERE account_id = :planner"), PlanEnd.NOT_ALLOWED),
        (_change_behind("UPDATE accounts SET is_active = false WHERE id = :planner"), PlanEnd.NOT_ALLOWED),
        (_change_behind("UPDATE alert_destinations SET is_enabled = false WHERE id = :destination"), PlanEnd.DISABLED),
    ],
)
def test_everything_is_checked_again_when_it_is_due(
    planned: Place, change: Callable[[Place], None], end: PlanEnd
) -> None:
    change(planned)

    planned.run(DUE)

    assert (len(planned.deliveries()), planned.end()) == (1, end)
    name, action, result, words = planned.trail()[-1]
    assert (name, action, result, words) == (
        "Planner",
        "was to send a planned test",
        "refused",
        [end.value.replace("_", " ")],
    )


@pytest.mark.parametrize(
    ("limits", "end"),
    [
        (SendLimits(per_member=0, per_workspace=9, per_target=9, per_recipient=9), PlanEnd.MEMBER_LIMIT),
        (SendLimits(per_member=9, per_workspace=0, per_target=9, per_recipient=9), PlanEnd.WORKSPACE_LIMIT),
        (SendLimits(per_member=9, per_workspace=9, per_target=0, per_recipient=9), PlanEnd.TARGET_LIMIT),
    ],
)
def test_a_limit_ends_it(planned: Place, monkeypatch: pytest.MonkeyPatch, limits: SendLimits, end: PlanEnd) -> None:
    monkeypatch.setattr("webapp.presses.limit_counters.current_settings", lambda: _Settings(limits))
    planned.redis.flushall()

    planned.run(DUE)

    assert (len(planned.deliveries()), planned.end()) == (1, end)


@dataclass
class _Settings:
    send_limits: SendLimits


def test_a_member_cancels_it_once(planned: Place) -> None:
    other = db.session.get_one(Account, planned.seeded.admin)
    visit = Visit(other, get_workspace(planned.seeded), Role.ADMIN)

    assert [cancel(visit, planned.destination, NOW) for _ in range(2)] == [True, False]
    planned.run(DUE)

    ended = planned.planned()
    assert ended is not None
    assert (len(planned.deliveries()), ended.end_reason, ended.ended_by) == (1, PlanEnd.CANCELED, "Admin")
    assert [event for event in planned.trail() if "canceled" in event[1]] == [
        ("Admin", "canceled the planned test", "done", [])
    ]


def test_a_press_after_the_cooldown_makes_it_superfluous(planned: Place) -> None:
    planned.let_redis_forget()
    assert planned.press(DUE) is RequestResult.ACCEPTED

    planned.run(DUE + seconds(1))
    planned.run(DUE + seconds(61))

    assert (len(planned.deliveries()), planned.end()) == (2, PlanEnd.REPLACED)


def test_a_refused_press_leaves_it(planned: Place) -> None:
    assert planned.press(NOW + seconds(59)) is RequestResult.COOLING_DOWN
    assert planned.is_waiting()


def test_an_ended_one_is_forgotten_after_a_day(planned: Place) -> None:
    cancel(planned.visit(), planned.destination, NOW)
    planned.run(NOW + KEPT_FOR)
    assert planned.planned() is not None

    planned.run(NOW + KEPT_FOR + seconds(1))
    assert planned.planned() is None


# Several at once


def _at_once(place: Place, *actions: Callable[[], object]) -> list[object]:
    """Run each action in a thread and a session of its own, all at the same instant."""
    start = Barrier(len(actions))

    def act(action: Callable[[], object]) -> object:
        with place.app.app_context():
            start.wait(timeout=60)
            return action()

    db.session.rollback()
    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(act, actions))


@pytest.mark.parametrize("attempt", range(5))
def test_of_several_workers_at_once_one_sends_it_also_if_redis_forgets(planned: Place, attempt: int) -> None:
    _at_once(planned, *[lambda: planned.run(DUE)] * 4)

    assert (len(planned.deliveries()), planned.planned(), planned.jobs()) == (2, None, 2)


def test_what_another_worker_has_requested_meanwhile_is_no_failure(
    planned: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = _make_place(planned.app, planned.seeded, planned.redis)
    other.press(NOW + seconds(1))
    other.plan(NOW + seconds(2))
    enqueue, is_alone = enqueue_or_fail, [True]

    def let_another_worker_run_first(*delivery_ids: int, requested_at: datetime) -> RequestResult:
        if is_alone:
            is_alone.clear()
            _at_once(planned, lambda: PlannedTestRuns().run(DUE + seconds(2)))
        return enqueue(*delivery_ids, requested_at=requested_at)

    monkeypatch.setattr("webapp.presses.planned_test_runs.enqueue_or_fail", let_another_worker_run_first)
    planned.run(DUE + seconds(2))

    assert (len(planned.deliveries()), len(other.deliveries())) == (2, 2)
    assert "planned test failed" not in caplog.text


@pytest.mark.parametrize("attempt", range(5))
def test_a_cancel_and_two_workers_at_once_agree(planned: Place, attempt: int) -> None:
    run = lambda: planned.run(DUE)  # noqa: E731
    is_canceled = _at_once(planned, run, lambda: cancel(planned.visit(), planned.destination, DUE), run)[1]

    assert len(planned.deliveries()) == (1 if is_canceled else 2)
    assert (planned.planned() is None) is not is_canceled


@pytest.mark.parametrize("attempt", range(10))
def test_plans_presses_cancels_and_workers_at_once_send_at_most_one_message_a_minute(
    planned: Place, attempt: int
) -> None:
    actions = [
        lambda: planned.run(DUE),
        lambda: planned.run(DUE + seconds(0.2)),
        lambda: planned.press(DUE),
        lambda: planned.plan(DUE + seconds(0.1)),
        lambda: cancel(planned.visit(), planned.destination, DUE),
        lambda: planned.press(DUE + seconds(0.3)),
    ]
    random.Random(attempt).shuffle(actions)
    _at_once(planned, *actions)
    planned.run(DUE + seconds(1))

    for later in range(62, 70):
        planned.run(DUE + seconds(later))
    requested = [row.created_at for row in planned.deliveries()]
    assert all(later - earlier >= seconds(60) for earlier, later in pairwise(requested)), requested
    assert not planned.is_waiting()


def _die(*_arguments: object) -> NoReturn:
    os._exit(9)


def _run_in_worker_that_dies(place: Place, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Run the pass in a process that is gone at once when it gets to a function."""
    place.let_redis_forget()
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(at, _die)
        PlannedTestRuns().run(DUE)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_worker_that_dies_before_the_commit_leaves_it_to_the_next_one(
    planned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run_in_worker_that_dies(planned, monkeypatch, "webapp.deliveries.requesting.writing._commit")
    assert (len(planned.deliveries()), planned.is_waiting()) == (1, True)

    planned.run(DUE + seconds(1))
    assert (len(planned.deliveries()), planned.planned()) == (2, None)


def test_a_worker_that_dies_after_the_commit_leaves_one_row_that_recovery_enqueues(
    planned: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run_in_worker_that_dies(planned, monkeypatch, "webapp.queue.enqueue_deliveries")
    assert ([row.status for row in planned.deliveries()][-1], planned.planned()) == (DeliveryStatus.QUEUED, None)

    planned.run(DUE + seconds(1))
    assert len(planned.deliveries()) == 2
    assert planned.deliveries()[-1].attempt_started_at is None
