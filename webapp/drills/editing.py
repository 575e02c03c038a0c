"""Turns the drills of a workspace on and off, and changes when they run and which of them each destination has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.audit import Action, describe_change, find_actor, record_destination_event, record_workspace_event
from webapp.destinations.bulk_editing import BulkResult
from webapp.drills.wording import describe_hours, describe_weekdays
from webapp.extensions import db
from webapp.models import Account, AlertDestination, DrillChoice, DrillInterval, DrillSchedule, Workspace
from webapp.models.locking import lock_destination, lock_workspace
from webapp.presses.eligibility import pages_people

OFF = "off"


class ScheduleChanged(Exception):
    """The drills are no longer those that the change was meant for. Nothing was changed."""


@dataclass(frozen=True)
class DrillTimes:
    """When the drills of a workspace run. The fields are those of `DrillSchedule`, and valid."""

    interval: DrillInterval
    weekdays: str
    from_hour: int
    to_hour: int
    time_zone: str


@dataclass(frozen=True)
class DrillChange:
    """A change of the drills that a destination has. None: unchanged."""

    choice: DrillChoice | None = None
    may_page: bool | None = None
    needs_confirmation: bool | None = None


def find_schedule(workspace: Workspace) -> DrillSchedule | None:
    """Fetch the schedule of a workspace, on or off; None if it never had one."""
    query = select(DrillSchedule).where(DrillSchedule.workspace_id == workspace.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def save_schedule(
    workspace: Workspace, account: Account, times: DrillTimes, now: datetime, seen: str | None = None
) -> bool:
    """Turn the drills on, or change when they run, and commit. Returns whether anything changed.

    seen: what `describe_schedule` must still return if anything changes, or else `ScheduleChanged` is raised; None for
    anything.
    """
    lock_workspace(workspace)
    schedule = find_schedule(workspace)
    before = describe_schedule(schedule)
    if schedule is None:
        schedule = DrillSchedule(workspace_id=workspace.id)
        db.session.add(schedule)
    schedule.interval, schedule.weekdays, schedule.time_zone = times.interval, times.weekdays, times.time_zone
    schedule.from_hour, schedule.to_hour = times.from_hour, times.to_hour
    schedule.started_at, schedule.updated_at = schedule.started_at or now, now
    if seen is not None and before not in (seen, describe_schedule(schedule)):
        db.session.rollback()
        raise ScheduleChanged
    return _commit(workspace, account, before, schedule, now)


def turn_off(workspace: Workspace, account: Account, now: datetime) -> bool:
    """Turn the drills off, keep when they ran, and commit. Returns whether they were on."""
    lock_workspace(workspace)
    schedule = find_schedule(workspace)
    before = describe_schedule(schedule)
    if schedule is not None:
        schedule.started_at, schedule.updated_at = None, now
    return _commit(workspace, account, before, schedule, now)


def describe_schedule(schedule: DrillSchedule | None) -> str:
    """Return when drills run, in the words of the audit trail: "weekly on Monday, 10:00 to 16:00, Europe/Berlin"."""
    if schedule is None or schedule.started_at is None:
        return OFF
    days, hours = describe_weekdays(schedule.weekdays), describe_hours(schedule.from_hour, schedule.to_hour)
    return f"{schedule.interval} on {days}, {hours}, {schedule.time_zone}"


def change_drills(
    destinations: Sequence[AlertDestination], account: Account, change: DrillChange, now: datetime
) -> BulkResult:
    """Change which drills destinations have, and commit.

    Only destinations that page people can have drills that may: for the others, that choice is ignored.
    """
    changed = 0
    for destination in destinations:
        lock_destination(destination)
        record = [] if destination.deleted_at is not None else _apply(destination, change)
        if record:
            record_destination_event(destination, account, Action.CHANGED, now, record)
            changed += 1
    db.session.commit()
    return BulkResult(changed, len(destinations) - changed)


def _apply(destination: AlertDestination, change: DrillChange) -> list[str]:
    """Change a destination, and return what to record."""
    record = []
    if change.choice is not None and change.choice is not destination.drill_choice:
        record.append(describe_change("drills", destination.drill_choice, change.choice))
        destination.drill_choice = change.choice
    may_page = None if change.may_page is None else change.may_page and pages_people(destination.type)
    if may_page is not None and may_page is not destination.drills_may_page:
        record.append(describe_change("drills may page", *_yes_or_no(may_page)))
        destination.drills_may_page = may_page
    confirms = change.needs_confirmation
    if confirms is not None and confirms is not destination.needs_confirmation:
        record.append(describe_change("needs confirmation", *_yes_or_no(confirms)))
        destination.needs_confirmation = confirms
    return record


def _yes_or_no(after: bool) -> tuple[str, str]:
    return ("no", "yes") if after else ("yes", "no")


def _commit(workspace: Workspace, account: Account, before: str, schedule: DrillSchedule | None, now: datetime) -> bool:
    after = describe_schedule(schedule)
    if after == before:
        db.session.rollback()
        return False
    record = [describe_change("drills", before, after)]
    record_workspace_event(workspace, Action.DRILLS_CHANGED, now, find_actor(account), record)
    db.session.commit()
    return True
