"""The rounds of drills, on rows: what is requested, what real traffic makes superfluous, and how many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Update, delete, select, update

from benchmarks.installation.servers import QueueServer
from tests.factories import SeededIds, add_delivery, add_real_alert, get_account, get_destination, on_both_databases
from tests.frozen import frozen
from tests.query_plans import record_statements
from webapp.app_state import app_state, redis_key
from webapp.deliveries import fail_unqueued, request_test
from webapp.destinations.editing import add_destination, delete_destination, set_enabled
from webapp.drills import states
from webapp.drills.requesting import MAX_PER_MINUTE, PASS_TIME, DrillRounds, Round, request_due_drills
from webapp.drills.schedule_slots import SECOND_AFTER, next_slot, read_schedule
from webapp.extensions import db
from webapp.models import (
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DrillChoice,
    DrillInterval,
    DrillNumber,
    DrillSchedule,
    Receipt,
    Workspace,
)
from webapp.queue.jobs import QUEUE
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

MINUTE = timedelta(minutes=1)
WEEK = timedelta(weeks=1)


def turn_on(seeded: SeededIds, hours: tuple[int, int] = (9, 17)) -> datetime:
    """Turn the drills of the workspace on, and return when that of its destination is due."""
    destination = get_destination(seeded)
    started_at = destination.created_at
    row = DrillSchedule(
        workspace_id=seeded.harbor,
        interval=DrillInterval.WEEKLY,
        weekdays="12345",
        from_hour=hours[0],
        to_hour=hours[1],
        time_zone="Europe/Berlin",
        started_at=started_at,
        updated_at=started_at,
    )
    db.session.add(row)
    db.session.commit()
    slot = next_slot(read_schedule(row), DrillInterval.WEEKLY, seeded.destination, started_at)
    assert slot is not None
    return slot.due_at


def list_drills() -> list[tuple[int, DrillNumber | None]]:
    query = select(AlertDelivery.alert_destination_id, AlertDelivery.drill).where(AlertDelivery.drill.is_not(None))
    return [(destination_id, number) for destination_id, number in db.session.execute(query.order_by(AlertDelivery.id))]


def accept(seeded: SeededIds, when: datetime, **facts: object) -> AlertDelivery:
    values = {"status": DeliveryStatus.SENT, "sent_at": when, "created_at": when} | facts
    return add_delivery(get_destination(seeded), **values)


def test_a_drill_that_is_due_is_requested_and_enqueued(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)

    assert request_due_drills(due_at - timedelta(seconds=1)) == 0
    assert request_due_drills(due_at) == 1

    delivery = db.session.scalars(select(AlertDelivery)).one()
    assert (delivery.drill, delivery.status, delivery.created_at) == (
        DrillNumber.FIRST,
        DeliveryStatus.QUEUED,
        due_at,
    )
    assert app_state().redis.llen(redis_key(f"rq:queue:{QUEUE}")) == 1


def test_a_second_round_requests_nothing_more(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)

    assert [request_due_drills(due_at + minutes * MINUTE) for minutes in (0, 1, 2)] == [1, 0, 0]


def test_the_second_drill_follows_a_failed_one(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    request_due_drills(due_at)
    fail_unqueued(db.session.scalars(select(AlertDelivery.id)).all(), due_at)

    app_state().redis.flushall()  # the limiter counts by its own clock, which does not jump
    assert request_due_drills(due_at + SECOND_AFTER - MINUTE) == 0
    assert request_due_drills(due_at + SECOND_AFTER) == 1

    assert list_drills() == [(seeded.destination, DrillNumber.FIRST), (seeded.destination, DrillNumber.SECOND)]


def test_a_test_that_was_accepted_after_a_failed_drill_makes_the_second_one_superfluous(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    request_due_drills(due_at)
    fail_unqueued(db.session.scalars(select(AlertDelivery.id)).all(), due_at)
    accept(seeded, due_at + 10 * MINUTE, requested_by_id=seeded.admin)

    assert request_due_drills(due_at + SECOND_AFTER) == 0


@pytest.mark.parametrize(
    ("facts", "is_evidence"),
    [
        ({}, True),
        ({"receipt": Receipt.SEEN}, True),
        ({"receipt": Receipt.MISSING}, False),
        ({"settings_version": 7}, False),
        ({"drill": DrillNumber.FIRST}, False),
        ({"status": DeliveryStatus.FAILED, "sent_at": None, "last_error_code": "not_found"}, False),
    ],
)
def test_a_test_of_the_last_interval_makes_a_drill_superfluous_if_it_shows_that_all_is_well(
    seeded: SeededIds, facts: dict[str, object], is_evidence: bool
) -> None:
    due_at = turn_on(seeded)
    accept(seeded, due_at - 10 * MINUTE, **facts)

    assert request_due_drills(due_at) == (0 if is_evidence else 1)


def test_an_older_test_is_no_evidence(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    accept(seeded, due_at - WEEK)

    assert request_due_drills(due_at) == 1


def test_a_real_alert_is_evidence(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    sent_at = due_at - 10 * MINUTE
    add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=sent_at, created_at=sent_at)

    assert request_due_drills(due_at) == 0


def test_a_failure_after_an_accepted_test_ends_its_evidence(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    accept(seeded, due_at - 20 * MINUTE)
    failed_at = due_at - 10 * MINUTE
    add_delivery(
        get_destination(seeded), status=DeliveryStatus.FAILED, last_error_code="not_found", created_at=failed_at
    )

    assert request_due_drills(due_at) == 1


def test_a_disabled_or_deleted_destination_has_no_drill(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    set_enabled(get_destination(seeded), get_account(seeded), False, due_at)
    assert request_due_drills(due_at) == 0

    set_enabled(get_destination(seeded), get_account(seeded), True, due_at)
    delete_destination(get_destination(seeded), get_account(seeded), due_at)
    assert request_due_drills(due_at) == 0


def test_a_workspace_that_is_deleted_during_a_round_keeps_no_other_one_waiting(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_at = turn_on(seeded)
    gone = Workspace(name="Gone", slug="gone", created_at=due_at)
    db.session.add(gone)
    db.session.flush()
    times = {"started_at": due_at - WEEK, "updated_at": due_at}
    days = {"interval": DrillInterval.WEEKLY, "weekdays": "1234567", "from_hour": 0, "to_hour": 24, "time_zone": "UTC"}
    db.session.add(DrillSchedule(workspace_id=gone.id, **days, **times))
    db.session.commit()
    gone_id = gone.id

    def delete_meanwhile() -> None:
        db.session.commit()
        with db.engine.begin() as other:
            other.execute(delete(Workspace).where(Workspace.id == gone_id))

    monkeypatch.setattr("webapp.drills.requesting.queue.find_outage", delete_meanwhile)
    # The round begins with the one or the other, by the second in which it runs.
    assert sum(request_due_drills(due_at + timedelta(seconds=second)) for second in (0, 1)) == 1


def test_a_destination_that_pages_people_has_drills_only_if_that_was_allowed(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    db.session.execute(update(AlertDestination).values(type="pagerduty"))
    db.session.commit()

    assert request_due_drills(due_at) == 0
    db.session.execute(update(AlertDestination).values(drills_may_page=True))
    db.session.commit()
    assert request_due_drills(due_at) == 1


def test_a_destination_that_skips_drills_has_none(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    db.session.execute(update(AlertDestination).values(drill_choice=DrillChoice.SKIP))
    db.session.commit()

    assert request_due_drills(due_at) == 0


def test_a_drill_waits_for_the_test_of_a_person(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    pressed = request_test(get_destination(seeded), get_account(seeded), due_at - 2 * MINUTE)

    assert request_due_drills(due_at) == 0
    assert db.session.get_one(AlertDelivery, pressed).status is DeliveryStatus.QUEUED


def test_nothing_is_requested_while_the_queue_cannot_be_used(seeded: SeededIds, queue_server: QueueServer) -> None:
    due_at = turn_on(seeded)
    with frozen(queue_server.process.pid):
        assert request_due_drills(due_at) == 0

    assert request_due_drills(due_at + MINUTE) == 1


def test_drills_that_were_missed_are_made_up_a_few_a_minute(seeded: SeededIds, app_settings: AppSettings) -> None:
    due_at = turn_on(seeded)
    harbor = db.session.get_one(Workspace, seeded.harbor)
    created_at = get_destination(seeded).created_at
    settings = {"address": "https://example.com/hook"}
    for number in range(MAX_PER_MINUTE + 4):
        add_destination(
            harbor, get_account(seeded), "webhook", f"Missed {number}", settings, app_settings.cipher, created_at
        )
    after_a_week = due_at.replace(hour=14, minute=59) + timedelta(days=7)  # 16:59 in Berlin, when all are due

    assert request_due_drills(after_a_week) == MAX_PER_MINUTE
    assert request_due_drills(after_a_week + timedelta(seconds=30)) == 0
    assert request_due_drills(after_a_week + MINUTE - timedelta(milliseconds=1)) == 0
    assert len(list_drills()) == MAX_PER_MINUTE


def test_those_that_need_no_drill_do_not_keep_others_waiting(seeded: SeededIds, app_settings: AppSettings) -> None:
    due_at = turn_on(seeded)
    harbor = db.session.get_one(Workspace, seeded.harbor)
    created_at = get_destination(seeded).created_at
    settings = {"address": "https://example.com/hook"}
    late = due_at.replace(hour=14, minute=59) + timedelta(days=7)
    for number in range(MAX_PER_MINUTE + 4):
        tested = add_destination(
            harbor, get_account(seeded), "webhook", f"Tested {number}", settings, app_settings.cipher, created_at
        )
        add_delivery(tested, status=DeliveryStatus.SENT, sent_at=late - MINUTE, created_at=late - MINUTE)

    assert request_due_drills(late) == 1
    assert list_drills() == [(seeded.destination, DrillNumber.FIRST)]


def test_those_whose_tests_wait_do_not_keep_others_waiting(seeded: SeededIds, app_settings: AppSettings) -> None:
    due_at = turn_on(seeded)
    harbor = db.session.get_one(Workspace, seeded.harbor)
    created_at = get_destination(seeded).created_at
    late = due_at.replace(hour=14, minute=59) + timedelta(days=7)
    settings = {"address": "https://example.com/hook"}
    for number in range(10 * MAX_PER_MINUTE):  # so many that more than ten are due before the last one
        waiting = add_destination(
            harbor, get_account(seeded), "webhook", f"Waiting {number}", settings, app_settings.cipher, created_at
        )
        add_delivery(waiting, created_at=late - 2 * MINUTE)

    assert request_due_drills(late) == 1
    assert list_drills() == [(seeded.destination, DrillNumber.FIRST)]


def test_workers_at_the_same_time_request_a_drill_once(app: Flask, seeded: SeededIds) -> None:
    due_at = turn_on(seeded)

    def run_round(_number: int) -> int:
        with app.app_context():
            return request_due_drills(due_at)

    with ThreadPoolExecutor(4) as pool:
        requested = sum(pool.map(run_round, range(4)))

    assert (requested, list_drills()) == (1, [(seeded.destination, DrillNumber.FIRST)])


def test_a_round_in_which_nothing_can_be_due_reads_no_traffic(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    before, then = (record_statements(partial(request_due_drills, at)) for at in (due_at - MINUTE, due_at))
    assert not any("requested_by_id IS NOT NULL" in statement for statement, _ in before)
    assert any("requested_by_id IS NOT NULL" in statement for statement, _ in then)


def test_rounds_are_ten_seconds_apart(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    elapsed = 0.0
    rounds = DrillRounds(clock=lambda: elapsed)

    rounds.run(due_at - MINUTE)
    elapsed = 9.9
    rounds.run(due_at)
    assert list_drills() == []
    elapsed = 10.0
    rounds.run(due_at)
    assert list_drills() == [(seeded.destination, DrillNumber.FIRST)]


def test_a_round_that_takes_long_is_continued_by_the_next_pass(seeded: SeededIds) -> None:
    due_at = turn_on(seeded)
    passed = iter(range(100))
    rounds = DrillRounds(clock=lambda: next(passed) * PASS_TIME)  # so slow that each pass makes one step

    passes = 0
    while not list_drills():
        rounds.run(due_at)
        passes += 1

    assert passes == 3  # which workspaces, which destinations, and the drill


def test_every_destination_is_looked_at_however_many_there_are(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch, app_settings: AppSettings
) -> None:
    for module in ("requesting", "states"):
        monkeypatch.setattr(f"webapp.drills.{module}.PAGE_SIZE", 2)
    monkeypatch.setattr("webapp.drills.states._STATES", states._STATES.limit(2))
    due_at = turn_on(seeded)
    harbor = db.session.get_one(Workspace, seeded.harbor)
    created_at = get_destination(seeded).created_at
    settings = {"address": "https://example.com/hook"}
    ids = [
        add_destination(
            harbor, get_account(seeded), "webhook", f"More {n}", settings, app_settings.cipher, created_at
        ).id
        for n in range(4)
    ]

    assert request_due_drills(due_at.replace(hour=14, minute=59) + timedelta(days=7)) == 5
    assert sorted(destination_id for destination_id, _ in list_drills()) == sorted([seeded.destination, *ids])


@pytest.mark.parametrize(
    "change",
    [
        update(AlertDestination).values(drill_choice=DrillChoice.SKIP),
        update(AlertDestination).values(is_enabled=False),
        update(DrillSchedule).values(started_at=None),
    ],
)
def test_what_changes_between_two_steps_of_a_round_counts(seeded: SeededIds, change: Update) -> None:
    due_at = turn_on(seeded)
    whole = Round(due_at)
    assert [whole.step(due_at) for _ in range(2)] == [True, True]  # the drill was found due

    db.session.execute(change.execution_options(synchronize_session=False))
    db.session.commit()

    while whole.step(due_at):
        pass
    assert (whole.requested, list_drills()) == (0, [])
