"""Windows and slots: when drills are due, by the calendar of a time zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.drills.schedule_slots import (
    ROOM_FOR_TWO,
    SECOND_AFTER,
    Schedule,
    Slot,
    Window,
    find_interval,
    find_window,
    latest_slot,
    next_slot,
    next_window,
    read_schedule,
    second_time,
    time_in,
)
from webapp.models import DrillChoice, DrillInterval, DrillSchedule

BERLIN = ZoneInfo("Europe/Berlin")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

# Zones with summer time, without it, with half hours, and at the date line.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
EARLIEST, LATEST = datetime(2025, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
IDS = st.integers(1, 10_000)


def make(
    weekdays: str = "12345",
    from_hour: int = 9,
    to_hour: int = 17,
    zone: ZoneInfo = BERLIN,
    interval: DrillInterval = DrillInterval.WEEKLY,
) -> Schedule:
    return Schedule(interval, tuple(sorted(map(int, weekdays))), from_hour, to_hour, zone, STARTED)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    weekdays = draw(st.sets(st.sampled_from("1234567"), min_size=1))
    hours = draw(st.integers(0, 23)), draw(st.integers(1, 24))
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    return make("".join(sorted(weekdays)), *hours, zone, draw(st.sampled_from(DrillInterval)))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def slots_of_a_year(schedule: Schedule, interval: DrillInterval, destination_id: int, now: datetime) -> list[Slot]:
    slots, end = list[Slot](), now + timedelta(days=366)
    while (slot := next_slot(schedule, interval, destination_id, now)) is not None and slot.due_at < end:
        slots.append(slot)
        now = slot.due_at
    return slots


def test_the_schedule_is_read_from_its_row() -> None:
    row = DrillSchedule(
        interval=DrillInterval.MONTHLY, weekdays="15", from_hour=8, to_hour=18, time_zone="Asia/Tokyo", started_at=None
    )

    expected = Schedule(DrillInterval.MONTHLY, (1, 5), 8, 18, ZoneInfo("Asia/Tokyo"), None)
    assert vars(read_schedule(row)) == vars(expected)


def test_a_zone_that_this_machine_does_not_know_is_utc() -> None:
    row = DrillSchedule(interval=DrillInterval.WEEKLY, weekdays="1", from_hour=8, to_hour=18, time_zone="Mars/Base")

    assert read_schedule(row).zone == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("choice", "interval"),
    [
        (DrillChoice.FOLLOW, DrillInterval.MONTHLY),
        (DrillChoice.SKIP, None),
        (DrillChoice.WEEKLY, DrillInterval.WEEKLY),
        (DrillChoice.QUARTERLY, DrillInterval.QUARTERLY),
    ],
)
def test_a_destination_follows_the_workspace_or_has_its_own_interval(
    choice: DrillChoice, interval: DrillInterval | None
) -> None:
    assert find_interval(choice, DrillInterval.MONTHLY) is interval


def test_a_window_is_open_from_its_first_hour_to_its_last() -> None:
    window = Window(at("2026-05-04 09:00"), at("2026-05-04 17:00"))

    assert find_window(make(), at("2026-05-04 08:59:59")) is None
    assert find_window(make(), at("2026-05-04 09:00")) == window
    assert find_window(make(), at("2026-05-04 16:59:59")) == window
    assert find_window(make(), at("2026-05-04 17:00")) is None
    assert find_window(make("2"), at("2026-05-04 12:00")) is None


def test_a_window_across_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = make("1", 22, 6)

    assert find_window(night, at("2026-05-05 05:59")) == Window(at("2026-05-04 22:00"), at("2026-05-05 06:00"))
    assert find_window(night, at("2026-05-05 22:30")) is None


def test_a_window_of_a_whole_day_ends_at_midnight() -> None:
    assert find_window(make("1", 0, 24), at("2026-05-04 23:59")) == Window(at("2026-05-04"), at("2026-05-05"))


def test_a_window_that_the_clock_skips_is_none() -> None:
    # At 02:00 on 29 March 2026, clocks in Berlin go to 03:00.
    assert find_window(make("7", 2, 3), at("2026-03-29 03:00")) is None
    assert next_window(make("7", 2, 3), at("2026-03-28 12:00")) == Window(
        at("2026-04-05 02:00"), at("2026-04-05 03:00")
    )


def test_the_next_window_may_begin_now() -> None:
    monday = Window(at("2026-05-04 09:00"), at("2026-05-04 17:00"))

    assert next_window(make("1"), at("2026-05-04 09:00")) == monday
    assert next_window(make("1"), at("2026-04-27 09:00:01")) == monday


@pytest.mark.slow
@given(schedules(), IDS, MOMENTS)
def test_a_slot_is_inside_its_window_and_leaves_time_for_a_second_drill(
    schedule: Schedule, destination_id: int, now: datetime
) -> None:
    slot = next_slot(schedule, schedule.interval, destination_id, now)
    assume(slot is not None)
    assert slot is not None

    assert slot.window.contains(slot.due_at)
    assert find_window(schedule, slot.due_at) == slot.window
    if slot.window.end - slot.window.start >= ROOM_FOR_TWO:
        assert slot.window.contains(slot.due_at + SECOND_AFTER)
        assert second_time(schedule, destination_id, slot.due_at) == slot.due_at + SECOND_AFTER


@pytest.mark.slow
@given(schedules(), IDS, MOMENTS)
def test_a_destination_is_due_once_per_interval_of_weeks(
    schedule: Schedule, destination_id: int, now: datetime
) -> None:
    slots = slots_of_a_year(schedule, schedule.interval, destination_id, now)

    # A window that summer time skips is the only reason for a longer gap.
    gaps = [(after.due_at - before.due_at, schedule.interval.duration) for before, after in pairwise(slots)]
    assert all(abs(gap - duration) <= HOUR for gap, duration in gaps if gap < 2 * duration - HOUR)
    assert sum(gap > duration + HOUR for gap, duration in gaps) <= 1
    assert len(slots) >= 366 // schedule.interval.duration.days - 2


@pytest.mark.slow
@given(schedules(), IDS, MOMENTS)
def test_the_latest_slot_is_the_one_before_the_next(schedule: Schedule, destination_id: int, now: datetime) -> None:
    following = next_slot(schedule, schedule.interval, destination_id, now)
    latest = latest_slot(schedule, schedule.interval, destination_id, now)
    assume(following is not None and latest is not None)
    assert latest is not None
    assert following is not None

    assert latest.due_at <= now < following.due_at
    assert next_slot(schedule, schedule.interval, destination_id, latest.due_at) == following
    assert latest_slot(schedule, schedule.interval, destination_id, following.due_at) == following


def test_a_slot_is_the_latest_one_from_its_very_moment() -> None:
    slot = next_slot(make(), DrillInterval.WEEKLY, 1, at("2026-05-04 00:00"))
    assert slot is not None

    just_before = latest_slot(make(), DrillInterval.WEEKLY, 1, slot.due_at - timedelta(microseconds=1))
    assert latest_slot(make(), DrillInterval.WEEKLY, 1, slot.due_at) == slot
    assert just_before is not None
    assert just_before.due_at == slot.due_at - timedelta(days=7)


def test_many_destinations_are_spread_over_days_and_hours() -> None:
    slots = [next_slot(make(), DrillInterval.WEEKLY, number, at("2026-05-04 00:00")) for number in range(1, 1001)]
    hours = [
        (slot.due_at.astimezone(BERLIN).isoweekday(), slot.due_at.astimezone(BERLIN).hour) for slot in slots if slot
    ]

    # Five days of almost seven hours: about 29 an hour.
    counts = [hours.count((day, hour)) for day in range(1, 6) for hour in range(9, 15)]
    assert min(counts) >= 10
    assert max(counts) <= 55


def test_monthly_drills_are_spread_over_four_weeks() -> None:
    now = at("2026-05-04 00:00")
    slots = [next_slot(make(), DrillInterval.MONTHLY, number, now) for number in range(1, 401)]
    weeks = [(slot.due_at - now).days // 7 for slot in slots if slot]

    assert {week: weeks.count(week) > 60 for week in set(weeks)} == {0: True, 1: True, 2: True, 3: True}


def test_the_second_drill_follows_in_the_next_window_if_an_hour_later_is_outside() -> None:
    schedule = make("15", 9, 10)
    failed_at = at("2026-05-04 09:20")

    due_at = second_time(schedule, 1, failed_at)

    friday = Window(at("2026-05-08 09:00"), at("2026-05-08 10:00"))
    assert due_at == time_in(friday, 1)
    assert friday.contains(due_at)


def test_a_drill_that_fails_after_its_window_has_its_second_one_in_the_window_that_is_open_then() -> None:
    schedule = make("1234567", 9, 17)
    failed_at = at("2026-05-04 08:30")  # as after a Drill now

    due_at = second_time(schedule, 1, failed_at)

    assert due_at == max(at("2026-05-04 09:30"), time_in(Window(at("2026-05-04 09:00"), at("2026-05-04 17:00")), 1))
