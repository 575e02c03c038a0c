"""Drill now: a drill for each destination that has drills, within the limits of every test send."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.destinations.editing import add_destination, set_enabled
from webapp.drills.immediate_drills import press_drills
from webapp.extensions import db
from webapp.models import (
    AlertDelivery,
    AlertDestination,
    AuditEvent,
    DeliveryStatus,
    DrillChoice,
    DrillNumber,
    Role,
)
from webapp.presses.batches import BatchResult
from webapp.presses.eligibility import RequestResult

PAGER = {"routing_key": "0123456789abcdefghijklmnopqrstuv", "server": "https://events.pagerduty.com"}


def add(seeded: SeededIds, name: str, channel: str = "webhook", **facts: object) -> AlertDestination:
    settings = PAGER if channel == "pagerduty" else {"address": f"https://{name}.example.org/x"}
    people = get_workspace(seeded), get_account(seeded)
    destination = add_destination(*people, channel, name, settings, current_settings().cipher, NOW)
    for field, value in facts.items():
        setattr(destination, field, value)
    db.session.commit()
    return destination


def press(seeded: SeededIds, now: datetime = NOW, confirms_paging: bool = False) -> BatchResult:
    return press_drills(Visit(get_account(seeded), get_workspace(seeded), Role.SUPPORT), now, confirms_paging)


def left_out(result: BatchResult) -> dict[RequestResult, int]:
    return {part.reason: part.count for part in result.left_out}


@on_both_databases
def test_each_destination_with_drills_gets_one_in_the_name_of_whoever_pressed(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add(seeded, "skips", drill_choice=DrillChoice.SKIP)
        own = add(seeded, "quarterly", drill_choice=DrillChoice.QUARTERLY)
        set_enabled(add(seeded, "off"), get_account(seeded), False, NOW)

        result = press(seeded)

        rows = db.session.scalars(select(AlertDelivery).order_by(AlertDelivery.id)).all()
        assert [row.alert_destination_id for row in rows] == [seeded.destination, own.id]
        facts = {(row.drill, row.requested_by_id, row.batch, row.payload["is_drill"]) for row in rows}
        assert facts == {(DrillNumber.FIRST, seeded.admin, result.batch, True)}
        assert left_out(result) == {RequestResult.DISABLED: 1}
        assert get_destination(seeded).drilled_at is not None
        actions = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "sent a drill")).all()
        assert [(event.account_id, event.destination_id) for event in actions] == [
            (seeded.admin, seeded.destination),
            (seeded.admin, own.id),
        ]


def test_what_pages_people_needs_both_its_tick_and_a_confirmation(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add(seeded, "unticked", "pagerduty")
        ticked = add(seeded, "ticked", "pagerduty", drills_may_page=True)

        without = press(seeded)
        after = NOW + timedelta(minutes=2)
        confirmed = press(seeded, after, confirms_paging=True)

        pages = db.session.scalars(
            select(AlertDelivery.alert_destination_id).where(AlertDelivery.batch == confirmed.batch)
        ).all()
        assert left_out(without) == {RequestResult.NOT_CONFIRMED: 2}
        assert left_out(confirmed)[RequestResult.NOT_CONFIRMED] == 1
        assert ticked.id in pages


@on_both_databases
def test_the_60_seconds_and_a_test_that_waits_refuse_a_drill(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=NOW - seconds(59), status=DeliveryStatus.SENT, sent_at=NOW)
        waiting = add(seeded, "waiting")
        add_delivery(
            waiting, created_at=NOW - seconds(61), status=DeliveryStatus.DEFERRED, send_after=NOW + seconds(30)
        )

        result = press(seeded)

        assert result.requested == 0
        assert left_out(result) == {RequestResult.COOLING_DOWN: 1, RequestResult.OTHER_TEST_WAITS: 1}
        assert db.session.scalars(select(AlertDelivery.drill)).all() == [None, None]


def test_after_60_seconds_a_drill_is_sent(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=NOW - seconds(60), status=DeliveryStatus.SENT, sent_at=NOW)

        assert press(seeded).requested == 1


def test_a_viewer_gets_no_drill(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        result = press_drills(Visit(get_account(seeded), get_workspace(seeded), Role.VIEWER), NOW)

        assert (result.requested, left_out(result)) == (0, {RequestResult.NOT_ALLOWED: 1})
