"""The next drill of a destination, why there is none, and the days of the calendar."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from webapp.drills.listing import DrilledDestination
from webapp.drills.next_drills import DAYS, NoDrill, list_days, plan_next, plan_rows
from webapp.drills.schedule_slots import Schedule, next_slot, second_time
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillChoice, DrillInterval, DrillNumber

BERLIN = ZoneInfo("Europe/Berlin")
STARTED = datetime(2026, 5, 3, tzinfo=UTC)
MONDAY = datetime(2026, 5, 4, 6, tzinfo=UTC)  # 08:00 in Berlin, two hours before the window
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SCHEDULE = Schedule(DrillInterval.WEEKLY, (1, 2, 3, 4, 5), 10, 16, BERLIN, STARTED)
OFF = Schedule(DrillInterval.WEEKLY, (1,), 10, 16, BERLIN, None)


def make(
    number: int = 1, accepted_at: datetime | None = None, newest: AlertDelivery | None = None, **facts: object
) -> DrilledDestination:
    values: dict[str, object] = {
        "name": f"Number {number}",
        "type": "webhook",
        "is_enabled": True,
        "drill_choice": DrillChoice.FOLLOW,
        "drills_may_page": False,
        "created_at": STARTED,
        "drilled_at": newest.created_at if newest else None,
    }
    return DrilledDestination(AlertDestination(id=number, **values | facts), newest, accepted_at)


def drill(status: DeliveryStatus, at: datetime, number: DrillNumber = DrillNumber.FIRST) -> AlertDelivery:
    return AlertDelivery(id=7, drill=number, status=status, created_at=at, updated_at=at)


def slot_of(number: int, after: datetime = MONDAY, interval: DrillInterval = DrillInterval.WEEKLY) -> datetime:
    slot = next_slot(SCHEDULE, interval, number, after)
    assert slot
    return slot.due_at


@pytest.mark.parametrize(
    ("facts", "schedule", "reason"),
    [
        ({}, None, NoDrill.OFF),
        ({}, OFF, NoDrill.OFF),
        ({"drill_choice": DrillChoice.SKIP}, SCHEDULE, NoDrill.SKIPPED),
        ({"is_enabled": False}, SCHEDULE, NoDrill.DISABLED),
        ({"type": "pagerduty"}, SCHEDULE, NoDrill.PAGES_PEOPLE),
    ],
)
def test_a_destination_without_a_next_drill_has_a_reason(
    facts: dict[str, Any], schedule: Schedule | None, reason: NoDrill
) -> None:
    planned = plan_next(make(**facts), schedule, MONDAY)

    assert (planned.at, planned.reason) == (None, reason)


@pytest.mark.parametrize("number", range(1, 9))
def test_the_next_drill_is_the_slot_of_the_destination(number: int) -> None:
    planned = plan_next(make(number), SCHEDULE, MONDAY)

    assert (planned.at, planned.spared_by, planned.is_second) == (slot_of(number), None, False)


def test_a_pager_that_may_be_drilled_has_a_next_drill() -> None:
    assert plan_next(make(1, type="pagerduty", drills_may_page=True), SCHEDULE, MONDAY).at == slot_of(1)


def test_an_interval_of_its_own_counts() -> None:
    planned = plan_next(make(3, drill_choice=DrillChoice.QUARTERLY), SCHEDULE, MONDAY)

    assert planned.at == slot_of(3, interval=DrillInterval.QUARTERLY)


def test_a_drill_in_the_window_of_today_leads_to_the_next_week() -> None:
    due_at = slot_of(1)
    pressed_at = due_at - timedelta(minutes=1)
    newest = drill(DeliveryStatus.SENT, pressed_at)

    assert plan_next(make(1, newest=newest), SCHEDULE, pressed_at).at == slot_of(1, due_at)


def test_an_accepted_test_delays_the_drill_until_it_is_an_interval_old() -> None:
    due_at = slot_of(1)
    accepted_at = due_at - 3 * DAY

    planned = plan_next(make(1, accepted_at), SCHEDULE, due_at - DAY)

    assert planned.spared_by == accepted_at
    assert planned.at is not None
    assert accepted_at + WEEK <= planned.at < slot_of(1, due_at)
    local = planned.at.astimezone(BERLIN)
    assert local.isoweekday() in SCHEDULE.weekdays
    assert 10 <= local.hour < 16


def test_an_accepted_test_that_is_older_than_the_interval_delays_nothing() -> None:
    due_at = slot_of(1)

    planned = plan_next(make(1, due_at - WEEK), SCHEDULE, due_at - DAY)

    assert (planned.at, planned.spared_by) == (due_at, None)


def test_a_missed_drill_is_made_up_in_the_next_window() -> None:
    missed = slot_of(1)
    evening = missed.astimezone(BERLIN).replace(hour=20)

    planned = plan_next(make(1), SCHEDULE, evening.astimezone(UTC))

    assert planned.at is not None
    assert evening < planned.at < evening + 4 * DAY
    assert planned.at < slot_of(1, missed)


def test_after_a_failed_drill_the_second_one_is_next() -> None:
    failed_at = slot_of(1)
    newest = drill(DeliveryStatus.FAILED, failed_at)

    planned = plan_next(make(1, newest=newest), SCHEDULE, failed_at + timedelta(minutes=5))

    assert (planned.at, planned.is_second) == (second_time(SCHEDULE, 1, failed_at), True)


def test_a_test_that_was_accepted_after_a_failed_drill_spares_the_second_one() -> None:
    failed_at = slot_of(1)
    newest = drill(DeliveryStatus.FAILED, failed_at)

    planned = plan_next(make(1, failed_at + HOUR / 2, newest), SCHEDULE, failed_at + HOUR)

    assert planned.is_second is False
    assert planned.at is not None
    assert planned.at > failed_at + 6 * DAY


@pytest.mark.parametrize("days", [1, 2])  # a Saturday and a Sunday, when no drill is sent
def test_a_second_drill_that_was_missed_is_not_due_while_no_window_is_open(days: int) -> None:
    failed_at = datetime(2026, 5, 8, 11, tzinfo=UTC)  # Friday
    newest = drill(DeliveryStatus.FAILED, failed_at)

    planned = plan_next(make(1, newest=newest), SCHEDULE, failed_at + days * DAY)

    assert (planned.at, planned.is_second) == (datetime(2026, 5, 11, 8, tzinfo=UTC), True)


def test_a_second_drill_that_was_missed_is_due_now_while_a_window_is_open() -> None:
    failed_at = datetime(2026, 5, 8, 11, tzinfo=UTC)
    newest, now = drill(DeliveryStatus.FAILED, failed_at), failed_at + 3 * DAY

    assert plan_next(make(1, newest=newest), SCHEDULE, now).at == now


@pytest.mark.parametrize(("status", "weeks"), [(DeliveryStatus.CANCELED, 0), (DeliveryStatus.SENT, 1)])
def test_a_drill_that_was_canceled_before_its_slot_leaves_the_slot_as_it_was(
    status: DeliveryStatus, weeks: int
) -> None:
    due_at = slot_of(1)
    newest = drill(status, due_at - timedelta(minutes=1))  # *Drill now*, in the window of the slot

    assert plan_next(make(1, newest=newest), SCHEDULE, newest.created_at).at == due_at + weeks * WEEK


def test_a_drill_that_is_being_sent_is_said() -> None:
    due_at = slot_of(1)
    planned = plan_next(make(1, newest=drill(DeliveryStatus.QUEUED, due_at)), SCHEDULE, due_at + timedelta(seconds=1))

    assert (planned.is_running, planned.at) == (True, slot_of(1, due_at))


def test_the_calendar_has_five_weeks_with_each_drill_once_a_week_in_order() -> None:
    days = list_days(plan_rows([make(number) for number in range(1, 41)], SCHEDULE, MONDAY), SCHEDULE, MONDAY)

    assert [day.day for day in days] == [MONDAY.date() + number * DAY for number in range(DAYS)]
    assert [len(day.drills) > 0 for day in days] == [day.day.isoweekday() <= 5 for day in days]
    assert sum(len(day.drills) for day in days) == 5 * 40
    assert all([at for at, _ in day.drills] == sorted(at for at, _ in day.drills) for day in days)
    assert all(at.astimezone(BERLIN).date() == day.day for day in days for at, _ in day.drills)


def test_the_calendar_leaves_out_what_has_no_drills() -> None:
    rows = plan_rows([make(1), make(2, drill_choice=DrillChoice.SKIP), make(3, is_enabled=False)], SCHEDULE, MONDAY)

    names = {drilled.destination.name for day in list_days(rows, SCHEDULE, MONDAY) for _, drilled in day.drills}

    assert names == {"Number 1"}


def test_a_monthly_drill_is_in_the_calendar_once_or_twice() -> None:
    rows = plan_rows([make(4, drill_choice=DrillChoice.MONTHLY)], SCHEDULE, MONDAY)

    times = [at for day in list_days(rows, SCHEDULE, MONDAY) for at, _ in day.drills]

    assert times[0] == slot_of(4, interval=DrillInterval.MONTHLY)
    assert [later - earlier for earlier, later in pairwise(times)] in ([], [4 * WEEK])
