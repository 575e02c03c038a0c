"""Drills are turned on and off, changed as a whole and for each destination, and every change is recorded."""

from dataclasses import replace

from flask import Flask
from sqlalchemy import select

from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases, seconds
from webapp.destinations.editing import add_destination, delete_destination
from webapp.drills.editing import DrillChange, DrillTimes, change_drills, find_schedule, save_schedule, turn_off
from webapp.extensions import db
from webapp.models import AlertDestination, AuditEvent, DrillChoice, DrillInterval
from webapp.settings import AppSettings

TIMES = DrillTimes(DrillInterval.WEEKLY, "24", 10, 16, "Europe/Berlin")


def read_record(action: str) -> list[list[str]]:
    """Return what was recorded, without the marks around what was quoted."""
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
    marks = str.maketrans("", "", "\u2066\u2067\u2068\u2069“”")
    return [[text.translate(marks) for text in event.changed] for event in events]


@on_both_databases
def test_the_start_is_kept_by_changes_and_ends_when_drills_are_turned_off(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        workspace, admin = get_workspace(seeded), get_account(seeded)
        assert save_schedule(workspace, admin, TIMES, NOW) is True
        later = replace(TIMES, interval=DrillInterval.MONTHLY, weekdays="1234567", from_hour=22, to_hour=6)
        assert save_schedule(workspace, admin, later, NOW + seconds(60)) is True

        schedule = find_schedule(workspace)
        assert schedule is not None
        assert (schedule.started_at, schedule.updated_at) == (NOW, NOW + seconds(60))
        assert turn_off(workspace, admin, NOW + seconds(120)) is True
        schedule = find_schedule(workspace)
        assert schedule is not None
        assert (schedule.started_at, schedule.interval) == (None, DrillInterval.MONTHLY)

        assert read_record("changed the drills") == [
            ["drills off → weekly on Tuesday, Thursday, 10:00 to 16:00, Europe/Berlin"],
            [
                "drills weekly on Tuesday, Thursday, 10:00 to 16:00, Europe/Berlin"
                " → monthly on every day, 22:00 to 06:00 of the next day, Europe/Berlin"
            ],
            ["drills monthly on every day, 22:00 to 06:00 of the next day, Europe/Berlin → off"],
        ]


def test_what_changes_nothing_is_not_recorded(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        workspace, admin = get_workspace(seeded), get_account(seeded)
        assert turn_off(workspace, admin, NOW) is False
        save_schedule(workspace, admin, TIMES, NOW)

        assert save_schedule(workspace, admin, TIMES, NOW + seconds(60)) is False
        assert len(read_record("changed the drills")) == 1


@on_both_databases
def test_each_change_of_a_destination_is_recorded_with_both_values(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        destination, admin = get_destination(seeded), get_account(seeded)
        change = DrillChange(DrillChoice.SKIP, needs_confirmation=True)

        assert change_drills([destination], admin, change, NOW).changed == 1
        assert change_drills([destination], admin, change, NOW).unchanged == 1
        change_drills([destination], admin, DrillChange(choice=DrillChoice.WEEKLY), NOW)

        assert (destination.drill_choice, destination.needs_confirmation) == (DrillChoice.WEEKLY, True)
        assert read_record("changed") == [
            ["drills follow → skip", "needs confirmation no → yes"],
            ["drills skip → weekly"],
        ]


def test_only_what_pages_people_can_have_drills_that_page(
    app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    with app.app_context():
        admin, settings = get_account(seeded), {"routing_key": "0" * 32, "server": "https://events.pagerduty.com"}
        pager = add_destination(
            get_workspace(seeded), admin, "pagerduty", "On call", settings, app_settings.cipher, NOW
        )
        webhook = get_destination(seeded)

        result = change_drills([webhook, pager], admin, DrillChange(may_page=True), NOW)

        assert (result.changed, result.unchanged) == (1, 1)
        assert (webhook.drills_may_page, pager.drills_may_page) == (False, True)
        assert read_record("changed") == [["drills may page no → yes"]]


def test_a_deleted_destination_is_not_changed(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        destination, admin = get_destination(seeded), get_account(seeded)
        delete_destination(destination, admin, NOW)

        assert change_drills([destination], admin, DrillChange(DrillChoice.SKIP), NOW).changed == 0
        assert db.session.get_one(AlertDestination, destination.id).drill_choice is DrillChoice.FOLLOW
