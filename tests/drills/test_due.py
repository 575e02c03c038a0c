"""Whether a drill is due: decided from rows, over months of outages, failures and edits of the schedule."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drills.test_schedule_slots import STARTED, ZONES, at, make
from webapp.drills.due import DrillState, NewestDrill, find_due
from webapp.drills.schedule_slots import (
    ROOM_FOR_TWO,
    SECOND_AFTER,
    Schedule,
    Slot,
    find_window,
    latest_slot,
    next_slot,
    next_window,
)
from webapp.models import DeliveryStatus, DrillChoice, DrillInterval, DrillNumber

STEP = timedelta(minutes=5)
DAYS = 75


def idle(destination_id: int = 7) -> DrillState:
    return DrillState(destination_id, DrillChoice.FOLLOW, STARTED - timedelta(days=30), None, None)


def slot_of(schedule: Schedule, destination_id: int = 7) -> Slot:
    slot = next_slot(schedule, schedule.interval, destination_id, at("2026-05-04 00:00"))
    assert slot is not None
    return slot


def due_at(schedule: Schedule, state: DrillState, now: datetime) -> DrillNumber | None:
    window = find_window(schedule, now)
    found = find_due(schedule, state, None, window, now) if window else None
    return found.number if found else None


def ended(status: DeliveryStatus, when: datetime, number: DrillNumber = DrillNumber.FIRST) -> NewestDrill:
    return NewestDrill(1, number, status, when)


def test_a_drill_is_due_from_the_moment_of_its_slot() -> None:
    schedule = make()
    slot = slot_of(schedule)

    before = slot.due_at - timedelta(microseconds=1)
    state = replace(idle(), drilled_at=slot.due_at - timedelta(days=7))
    assert (due_at(schedule, state, before), due_at(schedule, state, slot.due_at)) == (None, DrillNumber.FIRST)


def test_a_drill_that_was_requested_is_not_due_again() -> None:
    schedule = make()
    slot = slot_of(schedule)

    state = replace(idle(), drilled_at=slot.due_at, newest=ended(DeliveryStatus.SENT, slot.due_at))
    assert due_at(schedule, state, slot.due_at + STEP) is None


def test_a_drill_that_waits_keeps_the_next_one_waiting() -> None:
    schedule = make()
    slot = slot_of(schedule)

    state = replace(idle(), newest=ended(DeliveryStatus.QUEUED, slot.due_at))
    assert due_at(schedule, state, slot.due_at) is None


def test_a_canceled_drill_is_due_again() -> None:
    schedule = make()
    slot = slot_of(schedule)

    state = replace(idle(), drilled_at=slot.due_at, newest=ended(DeliveryStatus.CANCELED, slot.due_at))
    assert due_at(schedule, state, slot.due_at + STEP) is DrillNumber.FIRST


def test_a_slot_from_before_the_drills_were_turned_on_is_not_made_up() -> None:
    schedule = make()
    slot = slot_of(schedule)

    on_since_then = replace(schedule, started_at=slot.due_at + timedelta(seconds=1))
    assert due_at(on_since_then, idle(), slot.due_at + STEP) is None
    assert due_at(replace(schedule, started_at=slot.due_at), idle(), slot.due_at + STEP) is DrillNumber.FIRST


def test_a_slot_from_before_the_destination_was_added_is_not_made_up() -> None:
    schedule = make()
    slot = slot_of(schedule)

    state = replace(idle(), created_at=slot.due_at + timedelta(seconds=1))
    assert due_at(schedule, state, slot.due_at + STEP) is None


def test_no_drill_is_due_while_drills_are_off_or_skipped() -> None:
    schedule = make()
    slot = slot_of(schedule)

    assert due_at(replace(schedule, started_at=None), idle(), slot.due_at) is None
    assert due_at(schedule, replace(idle(), choice=DrillChoice.SKIP), slot.due_at) is None


def test_the_second_drill_is_due_an_hour_after_the_first_one_failed() -> None:
    schedule = make()
    failed_at = slot_of(schedule).due_at + timedelta(seconds=30)
    state = replace(idle(), drilled_at=failed_at, newest=ended(DeliveryStatus.FAILED, failed_at))

    an_hour_later = failed_at + SECOND_AFTER
    assert due_at(schedule, state, an_hour_later - timedelta(microseconds=1)) is None
    assert due_at(schedule, state, an_hour_later) is DrillNumber.SECOND


def test_after_an_accepted_test_no_second_drill_follows_but_the_next_slot_has_its_own() -> None:
    schedule = make()
    slot = slot_of(schedule)
    state = replace(idle(), drilled_at=slot.due_at, newest=ended(DeliveryStatus.FAILED, slot.due_at))
    accepted_at = slot.due_at + STEP

    def is_due(now: datetime) -> DrillNumber | None:
        window = find_window(schedule, now)
        assert window is not None
        found = find_due(schedule, state, accepted_at, window, now)
        return found.number if found else None

    week = timedelta(weeks=1)
    assert is_due(slot.due_at + SECOND_AFTER) is None
    assert is_due(slot.due_at + week) is None  # the test is younger than a week
    assert is_due(accepted_at + week) is DrillNumber.FIRST


def test_no_third_drill_follows() -> None:
    schedule = make()
    failed_at = slot_of(schedule).due_at
    newest = ended(DeliveryStatus.FAILED, failed_at, DrillNumber.SECOND)

    assert due_at(schedule, replace(idle(), drilled_at=failed_at, newest=newest), failed_at + 2 * SECOND_AFTER) is None


def test_a_failure_from_before_the_drills_were_turned_on_has_no_second_drill() -> None:
    schedule = make()
    failed_at = slot_of(schedule).due_at
    state = replace(idle(), drilled_at=failed_at, newest=ended(DeliveryStatus.FAILED, failed_at))

    assert due_at(replace(schedule, started_at=failed_at + STEP), state, failed_at + SECOND_AFTER) is None


@pytest.mark.parametrize(("ahead", "is_due"), [(timedelta(days=6), False), (timedelta(days=400), True)])
def test_a_time_from_a_clock_that_was_far_ahead_does_not_end_the_drills(ahead: timedelta, is_due: bool) -> None:
    schedule = make()
    slot = slot_of(schedule)

    state = replace(idle(), drilled_at=slot.due_at + ahead, newest=ended(DeliveryStatus.SENT, slot.due_at))
    assert (due_at(schedule, state, slot.due_at) is not None) is is_due


def test_a_failure_by_a_clock_that_was_far_ahead_has_its_second_drill() -> None:
    schedule = make()
    now = slot_of(schedule).due_at + SECOND_AFTER

    def is_due(ahead: timedelta) -> DrillNumber | None:
        newest = ended(DeliveryStatus.FAILED, now + ahead)
        return due_at(schedule, replace(idle(), drilled_at=now + ahead, newest=newest), now)

    assert (is_due(timedelta(days=1)), is_due(timedelta(days=365))) == (None, DrillNumber.SECOND)


def test_drills_that_were_turned_on_by_a_clock_that_was_far_ahead_are_due() -> None:
    schedule, year = make(), timedelta(days=365)
    slot = slot_of(schedule)

    on_next_year = replace(schedule, started_at=slot.due_at + year)
    assert due_at(on_next_year, replace(idle(), created_at=slot.due_at + year), slot.due_at) is DrillNumber.FIRST
    failed = replace(idle(), drilled_at=slot.due_at, newest=ended(DeliveryStatus.FAILED, slot.due_at))
    assert due_at(on_next_year, failed, slot.due_at + SECOND_AFTER) is DrillNumber.SECOND


# Months of it


@dataclass(frozen=True)
class Request:
    at: datetime
    number: DrillNumber
    schedule: Schedule


@dataclass
class World:
    """One destination, its worker, and what the receiver does. outages: when no worker runs."""

    schedule: Schedule
    outages: Sequence[tuple[datetime, datetime]]
    broken: Sequence[tuple[datetime, datetime]]
    edits: dict[datetime, Schedule] = field(default_factory=dict)
    state: DrillState = field(default_factory=idle)
    requests: list[Request] = field(default_factory=list)

    def run(self, start: datetime, days: int = DAYS) -> "World":
        """Let a worker look every `STEP` while a window is open. A send ends two minutes after its request.

        Both steps and the send take less than `SLACK`: a second drill that comes later is another window's.
        """
        now = start
        while now < start + timedelta(days=days):
            edits = [when for when in self.edits if when <= now]
            self.schedule = self.edits.pop(edits[0]) if edits else self.schedule
            window = find_window(self.schedule, now)
            if window is None:
                now = self._skip_to_window(now)
                continue
            due = None if _covers(self.outages, now) else find_due(self.schedule, self.state, None, window, now)
            if due is not None:
                self._request(due.number, now)
            now += STEP
        return self

    def _skip_to_window(self, now: datetime) -> datetime:
        following = next_window(self.schedule, now)
        return min([following.start if following else now + timedelta(days=30), *self.edits])

    def _request(self, number: DrillNumber, now: datetime) -> None:
        self.requests.append(Request(now, number, self.schedule))
        status = DeliveryStatus.FAILED if _covers(self.broken, now) else DeliveryStatus.SENT
        newest = NewestDrill(len(self.requests), number, status, now + timedelta(minutes=2))
        self.state = replace(self.state, drilled_at=now, newest=newest)


def _covers(spans: Sequence[tuple[datetime, datetime]], moment: datetime) -> bool:
    return any(start <= moment < end for start, end in spans)


def _overlaps(spans: Sequence[tuple[datetime, datetime]], start: datetime, end: datetime) -> bool:
    return any(from_ < end and start < until for from_, until in spans)


BEGIN = datetime(2026, 2, 20, tzinfo=UTC)  # summer time begins in March
spans = st.lists(
    st.tuples(st.integers(0, DAYS * 24), st.integers(1, 15 * 24)).map(
        lambda hours: (
            BEGIN + timedelta(hours=hours[0]),
            BEGIN + timedelta(hours=hours[0] + hours[1]),
        )
    ),
    max_size=4,
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    weekdays = "".join(sorted(draw(st.sets(st.sampled_from("1234567"), min_size=1))))
    from_hour = draw(st.integers(0, 23))
    to_hour = (from_hour + draw(st.integers(1, 8)) - 1) % 24 + 1
    interval = draw(st.sampled_from((DrillInterval.WEEKLY, DrillInterval.MONTHLY)))
    return make(weekdays, from_hour, to_hour, ZoneInfo(draw(st.sampled_from(ZONES))), interval)


def _list_slots(schedule: Schedule, destination_id: int) -> list[Slot]:
    """Return the slots of the time, two weeks before its end: later ones may not be made up yet."""
    slots, now, end = list[Slot](), BEGIN, BEGIN + timedelta(days=DAYS - 14)
    while (slot := next_slot(schedule, schedule.interval, destination_id, now)) and slot.window.end < end:
        slots.append(slot)
        now = slot.due_at
    return slots


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(schedules(), spans, spans, st.integers(1, 500))
def test_every_drill_that_is_due_happens_once_in_its_window_or_is_made_up_once(
    schedule: Schedule,
    outages: list[tuple[datetime, datetime]],
    broken: list[tuple[datetime, datetime]],
    destination_id: int,
) -> None:
    started = replace(schedule, started_at=BEGIN)
    state = replace(idle(destination_id), created_at=BEGIN)
    world = World(started, outages, broken, state=state).run(BEGIN, days=366)

    firsts = [request.at for request in world.requests if request.number is DrillNumber.FIRST]
    served = [latest_slot(started, started.interval, destination_id, moment) for moment in firsts]
    assert len(set(served)) == len(served)
    for request in world.requests:
        assert find_window(started, request.at) is not None
    for slot in _list_slots(started, destination_id):
        _check_slot(world, slot)


def _check_slot(world: World, slot: Slot) -> None:
    """Check that an undisturbed slot has its drill in its window; one with an outage, at most once and later."""
    during = [request for request in world.requests if slot.window.contains(request.at)]
    assert len(during) <= 2
    if not _overlaps(world.outages, slot.due_at, slot.window.end):
        assert during
        first = during[0]
        if first.number is DrillNumber.FIRST:
            assert slot.due_at <= first.at or first.at < slot.due_at + STEP
            _check_second(world, slot, during)


def _check_second(world: World, slot: Slot, during: Sequence[Request]) -> None:
    is_long = slot.window.end - slot.window.start >= ROOM_FOR_TWO
    if is_long and _covers(world.broken, during[0].at) and during[0].at < slot.due_at + STEP:
        assert [request.number for request in during] == [DrillNumber.FIRST, DrillNumber.SECOND]
        assert SECOND_AFTER <= during[1].at - during[0].at <= SECOND_AFTER + 2 * STEP


@settings(max_examples=20, deadline=None)
@given(schedules(), st.lists(st.integers(-6 * 24, 6 * 24), min_size=1, max_size=6), st.integers(1, 500))
def test_a_clock_that_is_set_back_or_forth_repeats_no_drill(
    schedule: Schedule, steps: list[int], destination_id: int
) -> None:
    started = replace(schedule, started_at=BEGIN - timedelta(days=90))
    world, clock = World(started, (), (), state=replace(idle(destination_id), created_at=BEGIN)), BEGIN
    for hours in steps:
        world.run(clock, days=10)
        clock += timedelta(days=10, hours=hours)

    served = [latest_slot(started, started.interval, destination_id, request.at) for request in world.requests]
    assert len(set(served)) == len(served)
    assert all(find_window(started, request.at) for request in world.requests)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(schedules(), schedules(), spans, st.integers(0, DAYS * 24), st.integers(1, 500))
def test_an_edit_of_the_schedule_adds_at_most_one_drill(
    schedule: Schedule, later: Schedule, outages: list[tuple[datetime, datetime]], hour: int, destination_id: int
) -> None:
    started, edited = replace(schedule, started_at=BEGIN), replace(later, started_at=BEGIN)
    edits = {BEGIN + timedelta(hours=hour): edited}
    world = World(started, outages, (), edits, replace(idle(destination_id), created_at=BEGIN)).run(BEGIN)

    served = [
        (request.schedule, latest_slot(request.schedule, request.schedule.interval, destination_id, request.at))
        for request in world.requests
    ]
    assert len(set(served)) == len(served)
    assert all(find_window(request.schedule, request.at) for request in world.requests)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(schedules(), st.integers(0, 30 * 24), st.integers(1, 500))
def test_a_destination_that_dies_has_failed_twice_within_its_interval_and_an_hour(
    schedule: Schedule, hour: int, destination_id: int
) -> None:
    started = replace(schedule, started_at=BEGIN)
    dies_at = BEGIN + timedelta(hours=hour)
    broken = [(dies_at, BEGIN + timedelta(days=DAYS))]
    world = World(started, (), broken, state=replace(idle(destination_id), created_at=BEGIN)).run(BEGIN)

    first = next(request for request in world.requests if request.at >= dies_at)
    window = find_window(started, first.at)
    assert window is not None
    if first.at - dies_at > started.interval.duration + 2 * STEP:  # summer time, or a window that it skipped
        assert first.at - dies_at <= 2 * started.interval.duration + timedelta(hours=1)
        assert dies_at.astimezone(started.zone).utcoffset() != first.at.astimezone(started.zone).utcoffset()
    if window.end - window.start >= ROOM_FOR_TWO:
        second = next(request for request in world.requests if request.number is DrillNumber.SECOND)
        assert second.at - first.at <= SECOND_AFTER + 2 * STEP
