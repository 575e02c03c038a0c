"""A test that pages people is sent only if whoever requests it confirms that, whatever button they press."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from benchmarks.installation.servers import QueueServer
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
from tests.visitor import Visitor
from webapp import queue
from webapp.app_state import current_settings
from webapp.channels import CHANNELS
from webapp.channels.pagerduty import SERVER
from webapp.destinations.editing import add_destination, change_destination, read_settings, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest, database_clock
from webapp.presses.planned_test_runs import PlannedTestRuns
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]

SETTINGS = {"routing_key": "0123456789abcdefghijklmnopqrstuv", "server": SERVER}
CONFIRM = {"confirm_paging": "yes"}
NAVIGATE = {"Sec-Fetch-Mode": "navigate"}
QUESTION = "This pages whoever is on call at PagerDuty. The incident is resolved at once."
NOT_SENT = "Not sent: this test pages whoever is on call."

OWN = "/w/harbor/destinations/{pager}"


@dataclass(frozen=True)
class EntryPoint:
    """What somebody may press to send a test. refused: the status of the response without a confirmation."""

    path: str
    refused: int
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def press(self, visitor: Visitor, pager: int, confirmation: Mapping[str, str]) -> TestResponse:
        path = self.path.format(pager=pager)
        form = {name: value.format(pager=pager) for name, value in self.form.items()}
        return visitor.post(path, {**form, **confirmation}, headers=dict(self.headers))


SAVED = {"name": "Night shift", **SETTINGS, "then": "test"}
ENTRY_POINTS = {
    "Send test": EntryPoint(f"{OWN}/test", 409),
    "Send test, without JavaScript": EntryPoint(f"{OWN}/test", 303, headers=NAVIGATE),
    "plan": EntryPoint(f"{OWN}/plan", 409),
    "plan, without JavaScript": EntryPoint(f"{OWN}/plan", 303, headers=NAVIGATE),
    "Save and test of a new one": EntryPoint("/w/harbor/destinations/new/pagerduty", 302, SAVED),
    "Save and test": EntryPoint(f"{OWN}/edit", 302, SAVED),
    "Test all": EntryPoint("/w/harbor/test-all", 200),
    "Test all, without JavaScript": EntryPoint("/w/harbor/test-all", 303, headers=NAVIGATE),
    "Test of the chosen": EntryPoint("/w/harbor/choose", 303, {"do": "test", "id": "{pager}"}),
    "Test the failed": EntryPoint("/broken/test", 200),
    "Test the failed of a workspace": EntryPoint("/broken/test", 200, {"workspace": "harbor"}),
}
every_entry_point = pytest.mark.parametrize("entry_point", ENTRY_POINTS.values(), ids=ENTRY_POINTS)


@pytest.fixture
def pager(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> int:
    """A destination that pages people, whose last test failed some time ago, beside the seeded one, which is off."""
    with app.app_context():
        admin = get_account(seeded)
        set_enabled(get_destination(seeded), admin, False, NOW)
        added = add_destination(
            get_workspace(seeded), admin, "pagerduty", "Night shift", SETTINGS, app_settings.cipher, NOW
        )
        failure = {"last_error_code": "gone", "last_error_message": "It answered 410."}
        add_delivery(added, status=DeliveryStatus.FAILED, **failure)
        return added.id


@dataclass(frozen=True)
class Traces:
    """What presses left behind: new test sends, planned tests, and what counts towards limits."""

    app: Flask
    queue_server: QueueServer

    @property
    def sent(self) -> int:
        with self.app.app_context():
            return len(db.session.scalars(select(AlertDelivery.id).where(AlertDelivery.created_at > NOW)).all())

    @property
    def planned(self) -> int:
        with self.app.app_context():
            return len(db.session.scalars(select(PlannedTest.id)).all())

    @property
    def limits(self) -> list[str]:
        keys = queue.connect(self.queue_server.url).keys("*")
        return [str(key) for key in keys if "presses:" in str(key) or "test-send" in str(key)]


@pytest.fixture
def traces(app: Flask, queue_server: QueueServer) -> Traces:
    redis = queue.connect(queue_server.url)
    for key in redis.keys("*"):
        redis.delete(key)
    return Traces(app, queue_server)


@every_entry_point
def test_without_a_confirmation_nothing_is_sent_planned_or_counted(
    entry_point: EntryPoint, pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    response = entry_point.press(visit(seeded.admin), pager, {})

    assert response.status_code == entry_point.refused
    assert (traces.sent, traces.planned, traces.limits) == (0, 0, [])


@pytest.mark.parametrize("value", ["", "no", "on", "true", "YES", "yes ", "1"])
def test_anything_but_yes_confirms_nothing(
    value: str, pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    response = ENTRY_POINTS["Send test"].press(visit(seeded.admin), pager, {"confirm_paging": value})

    assert (response.status_code, traces.sent) == (409, 0)


def test_a_confirmation_in_the_address_confirms_nothing(
    pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    response = visit(seeded.admin).post(f"{OWN}/test?confirm_paging=yes".format(pager=pager))

    assert (response.status_code, traces.sent) == (409, 0)


@every_entry_point
def test_with_a_confirmation_one_test_is_sent(
    entry_point: EntryPoint, pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    entry_point.press(visit(seeded.admin), pager, CONFIRM)

    assert traces.sent == 1


@pytest.mark.parametrize("channel", [name for name, channel in CHANNELS.items() if not channel.pages_people])
def test_a_channel_that_pages_nobody_needs_no_confirmation(
    channel: str, app: Flask, pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    with app.app_context():
        db.session.get_one(AlertDestination, pager).type = channel
        db.session.commit()
    ENTRY_POINTS["Send test"].press(visit(seeded.admin), pager, {})

    assert traces.sent == 1


def test_the_refusal_says_why_and_offers_the_confirmation(pager: int, visit: Visit, seeded: SeededIds) -> None:
    page = visit(seeded.support).post(f"{OWN}/test".format(pager=pager)).text

    assert NOT_SENT in page
    assert re.search(r'<details class="paging" id="status-\d+-paging" open>', page)
    assert QUESTION in page
    assert "Page them now" in page


def test_without_javascript_the_refusal_leads_to_the_page_that_offers_it(
    pager: int, visit: Visit, seeded: SeededIds
) -> None:
    visitor = visit(seeded.admin)
    response = visitor.post(f"{OWN}/test".format(pager=pager), headers=NAVIGATE)
    page = visitor.get(response.location).text

    assert NOT_SENT in page
    assert "Page them now" in page


@pytest.mark.parametrize("form", [ENTRY_POINTS["Save and test"], ENTRY_POINTS["Save and test of a new one"]])
def test_a_form_is_saved_all_the_same_and_says_that_nothing_was_sent(
    form: EntryPoint, pager: int, visit: Visit, seeded: SeededIds
) -> None:
    visitor = visit(seeded.admin)
    page = visitor.get(form.press(visitor, pager, {}).location).text

    assert re.search(r"was (saved|added)\. " + NOT_SENT, page)


@pytest.mark.parametrize("name", ["Send test", "plan", "Test all", "Test the failed"])
def test_a_confirmation_gives_nobody_a_right(
    name: str, pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    ENTRY_POINTS[name].press(visit(seeded.viewer), pager, CONFIRM)

    assert traces.sent == 0


def test_a_disabled_destination_asks_for_no_confirmation(
    app: Flask, pager: int, visit: Visit, seeded: SeededIds
) -> None:
    with app.app_context():
        set_enabled(db.session.get_one(AlertDestination, pager), get_account(seeded), False, NOW)
    response = visit(seeded.admin).post(f"{OWN}/test".format(pager=pager))

    assert "This destination is disabled." in response.text
    assert QUESTION not in response.text


@on_both_databases
def test_two_clicks_at_once_page_once(app: Flask, pager: int, traces: Traces, visit: Visit, seeded: SeededIds) -> None:
    def press(visitor: Visitor) -> int:
        return ENTRY_POINTS["Send test"].press(visitor, pager, CONFIRM).status_code

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(press, [visit(seeded.admin), visit(seeded.support)]))

    assert (statuses, traces.sent) == ([200, 429], 1)


def test_a_click_without_a_confirmation_takes_nothing_from_one_with_it(
    pager: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    entry_point, visitor = ENTRY_POINTS["Send test"], visit(seeded.admin)
    statuses = [entry_point.press(visitor, pager, form).status_code for form in ({}, CONFIRM, {})]

    assert (statuses, traces.sent) == ([409, 200, 409], 1)


# Plans


@pytest.fixture
def cooling(app: Flask, pager: int) -> int:
    """The destination that pages people, just tested."""
    with app.app_context():
        now = database_clock.now()
        sent = {"status": DeliveryStatus.SENT, "sent_at": now}
        add_delivery(db.session.get_one(AlertDestination, pager), created_at=now - seconds(20), **sent)
    return pager


def _run_when_due(app: Flask) -> None:
    with app.app_context():
        planned = db.session.scalars(select(PlannedTest)).one()
        PlannedTestRuns().run(planned.due_at)


@on_both_databases
def test_a_plan_carries_the_confirmation_with_which_it_was_made(
    app: Flask, cooling: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    ENTRY_POINTS["plan"].press(visit(seeded.support), cooling, CONFIRM)
    assert (traces.sent, traces.planned) == (1, 1)
    _run_when_due(app)

    assert (traces.sent, traces.planned) == (2, 0)


@pytest.mark.parametrize("name", ["plan", "plan, without JavaScript", "Save and test"])
def test_no_plan_is_made_without_it(name: str, cooling: int, traces: Traces, visit: Visit, seeded: SeededIds) -> None:
    ENTRY_POINTS[name].press(visit(seeded.admin), cooling, {})

    assert (traces.sent, traces.planned) == (1, 0)


@on_both_databases
def test_a_plan_without_it_ends_and_the_page_says_why(
    app: Flask, cooling: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    ENTRY_POINTS["plan"].press(visit(seeded.support), cooling, CONFIRM)
    with app.app_context():
        planned = db.session.scalars(select(PlannedTest)).one()
        planned.confirms_paging = False  # made when the channel paged nobody yet
        db.session.commit()
    _run_when_due(app)

    page = visit(seeded.admin).get(OWN.format(pager=cooling)).text
    assert traces.sent == 1
    assert "The planned test was not sent: it pages people" in page


@on_both_databases
def test_new_settings_take_the_confirmation_of_a_plan_back(
    app: Flask, cooling: int, traces: Traces, visit: Visit, seeded: SeededIds
) -> None:
    ENTRY_POINTS["plan"].press(visit(seeded.support), cooling, CONFIRM)
    with app.app_context():
        pager = db.session.get_one(AlertDestination, cooling)
        new = dict.fromkeys(read_settings(pager, current_settings().cipher), "new")
        change_destination(pager, get_account(seeded), None, new, current_settings().cipher, NOW)
    _run_when_due(app)

    assert traces.sent == 1


# Several at once


def test_test_all_says_how_many_page_people(pager: int, visit: Visit, seeded: SeededIds) -> None:
    page = ENTRY_POINTS["Test all"].press(visit(seeded.admin), pager, {}).text

    assert "2 destinations were left out: 1 because it pages people, 1 because it is disabled." in page


def test_test_the_failed_says_how_many_page_people(pager: int, visit: Visit, seeded: SeededIds) -> None:
    page = ENTRY_POINTS["Test the failed"].press(visit(seeded.admin), pager, {}).text

    assert "No tests were sent. 1 destination was left out because it pages people." in page


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/broken"])
def test_the_box_is_there_only_if_something_pages_people(
    path: str, app: Flask, pager: int, visit: Visit, seeded: SeededIds
) -> None:
    offered = visit(seeded.support).get(path).text
    with app.app_context():
        db.session.get_one(AlertDestination, pager).type = "slack"
        db.session.commit()

    assert "Also the one that pages people" in offered
    assert "page people" not in visit(seeded.support).get(path).text


def test_several_are_counted_and_disabled_ones_are_not(
    app: Flask, pager: int, visit: Visit, seeded: SeededIds, app_settings: AppSettings
) -> None:
    with app.app_context():
        added = [
            add_destination(
                get_workspace(seeded), get_account(seeded), "pagerduty", name, SETTINGS, app_settings.cipher, NOW
            )
            for name in ("A", "B")
        ]
        set_enabled(added[0], get_account(seeded), False, NOW + timedelta(seconds=1))

    assert "Also the 2 that page people" in visit(seeded.admin).get("/w/harbor/destinations").text


# Pages


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/broken", OWN])
def test_the_button_asks_before_it_pages(path: str, pager: int, visit: Visit, seeded: SeededIds) -> None:
    page = visit(seeded.support).get(path.format(pager=pager)).text

    assert "Send test…" in page
    assert QUESTION in page
    question = page[page.index('<details class="paging"') :]
    assert f'action="{OWN}/test"'.format(pager=pager) in question
    assert 'name="confirm_paging" value="yes"' in question


def test_during_the_cooldown_it_asks_before_it_plans(cooling: int, visit: Visit, seeded: SeededIds) -> None:
    page = visit(seeded.support).get(OWN.format(pager=cooling)).text
    question = page[page.index('<details class="paging"') :]

    assert "Test again in" in question
    assert "Page them in" in question
    assert f'action="{OWN}/plan"'.format(pager=cooling) in question


def test_a_viewer_is_asked_nothing(pager: int, visit: Visit, seeded: SeededIds) -> None:
    assert QUESTION not in visit(seeded.viewer).get(OWN.format(pager=pager)).text


@pytest.mark.parametrize("path", ["/w/harbor/destinations/new/pagerduty", f"{OWN}/edit"])
def test_a_form_has_a_box_that_is_not_ticked(path: str, pager: int, visit: Visit, seeded: SeededIds) -> None:
    page = visit(seeded.admin).get(path.format(pager=pager)).text
    (box,) = re.findall(r'<input[^>]*name="confirm_paging"[^>]*>', page)

    assert 'value="yes"' in box
    assert "checked" not in box
    assert QUESTION in page


def test_the_form_of_another_channel_has_none(visit: Visit, seeded: SeededIds) -> None:
    assert "confirm_paging" not in visit(seeded.admin).get("/w/harbor/destinations/new/slack").text
