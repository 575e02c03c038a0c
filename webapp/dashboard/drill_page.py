"""Loads what the page of drills shows, and the line about drills on a destination's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.database.numbered_pages import Page, cut_page
from webapp.drills.editing import find_schedule
from webapp.drills.listing import DestinationRow, find_drilled, list_drilled, load_drills
from webapp.drills.next_drills import CalendarDay, NextDrill, PlannedRow, list_days, plan_next, plan_rows
from webapp.drills.schedule_slots import ROOM_FOR_TWO, read_schedule
from webapp.drills.wording import INTERVALS, describe_hours, describe_weekdays, measure_hours
from webapp.models import AlertDelivery, AlertDestination, DrillSchedule, Workspace
from webapp.presses.eligibility import pages_people


@dataclass(frozen=True)
class DrillPage:
    """What the page shows.

    stored: the schedule, on or off; None if there never was one. zone: its time zone; UTC without one.
    page: the destinations of one page. rows: all of them. days: the calendar; empty while drills are off.
    newest: the newest drills of the destinations of the page, by their own ids.
    paging: how many enabled destinations have drills that may page people.
    """

    stored: DrillSchedule | None
    zone: ZoneInfo
    page: Page[PlannedRow]
    rows: Sequence[PlannedRow]
    days: Sequence[CalendarDay]
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


def load_drill_page(workspace: Workspace, number: int, now: datetime) -> DrillPage:
    """Load the page with this number. Executes four queries, however many deliveries there are."""
    stored, drilled = find_schedule(workspace), list_drilled(workspace.id, now)
    schedule = read_schedule(stored) if stored else None
    rows = plan_rows(drilled, schedule, now)
    is_on = schedule is not None and schedule.started_at is not None
    days = list_days(rows, schedule, now) if schedule and is_on else []
    paging = sum(_is_paged(row.drilled.destination) for row in rows)
    page = cut_page(rows, number)
    newest = {
        drill.id: drill for drill in load_drills([row.drilled.newest.id for row in page.rows if row.drilled.newest])
    }
    return DrillPage(stored, schedule.zone if schedule else ZoneInfo("UTC"), page, rows, days, newest, paging)


def load_next_drill(workspace: Workspace, destination: AlertDestination, now: datetime) -> NextDrill | None:
    """Load the next drill of a destination, for its own page; None while drills are off."""
    stored = find_schedule(workspace)
    if stored is None or stored.started_at is None:
        return None
    return plan_next(find_drilled(destination, now), read_schedule(stored), now)


def _is_paged(destination: AlertDestination | DestinationRow) -> bool:
    has_drills = destination.is_enabled and destination.drills_may_page
    return has_drills and pages_people(destination.type)
