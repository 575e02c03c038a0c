"""Loads what the page of drills shows, and the line about drills on a destination's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.database.numbered_pages import NumberedPage, clamp_number, cut_page
from webapp.drills.editing import find_schedule
from webapp.drills.listing import count_destinations, find_drilled, list_drilled, list_drilled_page, load_drills
from webapp.drills.next_drills import CalendarDay, NextDrill, PlannedRow, list_days, plan_next, plan_rows
from webapp.drills.schedule_slots import ROOM_FOR_TWO, read_schedule
from webapp.drills.wording import INTERVALS, describe_hours, describe_weekdays, measure_hours
from webapp.models import AlertDelivery, AlertDestination, DrillSchedule, Workspace

# With more destinations, the calendar is loaded only if somebody asks for it: it reads the messages of all of them.
MAX_IN_CALENDAR = 1_000


@dataclass(frozen=True)
class DrillPage:
    """What the page shows.

    stored: the schedule, on or off; None if there never was one. zone: its time zone; UTC without one.
    page: the destinations of one page. days: the calendar; None while drills are off,
        or if nobody asked for that of a large workspace.
    newest: the newest drills of the destinations of the page, by their own ids.
    paging: how many enabled destinations have drills that may page people.
    """

    stored: DrillSchedule | None
    zone: ZoneInfo
    page: NumberedPage[PlannedRow]
    days: Sequence[CalendarDay] | None
    newest: Mapping[int, AlertDelivery]
    paging: int

    @property
    def is_on(self) -> bool:
        return self.stored is not None and self.stored.started_at is not None

    @property
    def summary(self) -> str:
        """When drills run, in a sentence without a full stop."""
        stored = self.stored
        if stored is None:
            return ""
        hours = describe_hours(stored.from_hour, stored.to_hour)
        return f"{INTERVALS[stored.interval]} on {describe_weekdays(stored.weekdays)}, {hours}"

    @property
    def is_short(self) -> bool:
        """Whether a window has no room for the second drill of one that failed."""
        stored = self.stored
        return stored is not None and measure_hours(stored.from_hour, stored.to_hour) < ROOM_FOR_TWO


def load_drill_page(workspace: Workspace, number: int, now: datetime, wants_calendar: bool = False) -> DrillPage:
    """Load the page with this number. Executes five queries, however many deliveries there are.

    wants_calendar: whether the calendar is loaded even if there are more destinations than `MAX_IN_CALENDAR`.
    """
    stored, (total, paging) = find_schedule(workspace), count_destinations(workspace.id)
    schedule = read_schedule(stored) if stored else None
    days = None
    if wants_calendar or total <= MAX_IN_CALENDAR:
        everything = plan_rows(list_drilled(workspace.id, now), schedule, now)
        days = list_days(everything, schedule, now) if schedule and schedule.started_at else None
        page = cut_page(everything, number)
    else:
        number = clamp_number(number, total)
        rows = plan_rows(list_drilled_page(workspace.id, number, now), schedule, now)
        page = NumberedPage(rows, total, number)
    newest = {
        drill.id: drill for drill in load_drills([row.drilled.newest.id for row in page.rows if row.drilled.newest])
    }
    return DrillPage(stored, schedule.zone if schedule else ZoneInfo("UTC"), page, days, newest, paging)


def load_next_drill(workspace: Workspace, destination: AlertDestination, now: datetime) -> NextDrill | None:
    """Load the next drill of a destination, for its own page; None while drills are off."""
    stored = find_schedule(workspace)
    if stored is None or stored.started_at is None:
        return None
    return plan_next(find_drilled(destination, now), read_schedule(stored), now)
