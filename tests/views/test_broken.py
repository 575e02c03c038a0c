"""What is broken: the broken destinations of all workspaces, one press that tests them, and what was never tested."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from tests.factories import NOW, SeededIds, add_delivery, get_account
from tests.visitor import Visitor
from webapp.dashboard.broken import MAX_LISTED
from webapp.destinations.editing import add_destination, set_enabled
from webapp.extensions import db
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    Receipt,
    ReceiptSource,
    Role,
    Workspace,
    database_clock,
)
from webapp.presses import retesting
from webapp.settings import AppSettings
from webapp.views.icons import GENERAL_ICON
from webapp.workspaces.membership_changes import set_role

Visit = Callable[[int], Visitor]
Add = Callable[..., int]

FAILED = {"status": DeliveryStatus.FAILED, "last_error_code": "gone", "last_error_message": "It answered 410."}
NAVIGATE = {"Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def seeded(app: Flask, seeded: SeededIds) -> SeededIds:
    """The seeded data. Support is a member of the clinic too, as a viewer."""
    with app.app_context():
        clinic = db.session.get_one(Workspace, seeded.clinic)
        set_role(clinic, db.session.get_one(Account, seeded.support), Role.VIEWER)
        db.session.commit()
    return seeded


@pytest.fixture
def add(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> Add:
    """Add a destination whose tests, given by their age in minutes, ended like this; return its id."""

    def add_one(name: str, *tests: tuple[float, dict[str, Any]], workspace_id: int = seeded.harbor) -> int:
        with app.app_context():
            workspace, now = db.session.get_one(Workspace, workspace_id), database_clock.now()
            settings = {"address": f"https://{len(name)}.example.org/{name}", "signing_secret": ""}
            added = add_destination(workspace, get_account(seeded), "webhook", name, settings, app_settings.cipher, NOW)
            for minutes, facts in tests:
                at = now - timedelta(minutes=minutes)
                sent = {"sent_at": at} if facts.get("status") is DeliveryStatus.SENT else {}
                add_delivery(added, created_at=at, **(facts | sent))
            return added.id

    return add_one


def _names(page: str) -> list[str]:
    return re.findall(r"<h2><a href=[^>]+><bdi>([^<]+)</bdi></a></h2>", page)


def _count_requested(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(AlertDelivery.batch.is_not(None))) or 0


SENT = {"status": DeliveryStatus.SENT}
PENDING: dict[str, Any] = {}


def test_each_row_has_its_cause_recent_results_and_a_button_where_the_role_may_test(
    add: Add, seeded: SeededIds, visit: Visit
) -> None:
    own = add("Own", (200, SENT), (100, FAILED))
    foreign = add("Foreign", (100, FAILED), workspace_id=seeded.clinic)

    page = visit(seeded.support).get("/broken").text

    assert _names(page) == ["Own", "Foreign"]
    assert "2 destinations in your 2 workspaces failed their last test, or their message was reported missing." in page
    assert "It answered 410." in page
    assert "Last 2 tests, newest last: sent, failed" in page
    assert f'action="/w/harbor/destinations/{own}/test"' in page
    assert f'action="/w/clinic/destinations/{foreign}/test"' not in page


def test_a_row_says_that_the_settings_were_changed_and_that_the_message_may_have_arrived(
    add: Add, seeded: SeededIds, visit: Visit
) -> None:
    add("Changed", (100, FAILED | {"settings_version": 0}))
    add("Uncertain", (100, FAILED | {"last_error_code": "gateway_gave_up"}))

    page = visit(seeded.support).get("/broken").text

    assert page.count("The settings were changed after this test.") == 1
    assert page.count("The message may or may not have arrived.") == 1


@pytest.mark.parametrize(
    ("tests", "is_listed"),
    [
        ([(100, FAILED)], True),
        ([(100, FAILED), (1, PENDING)], True),  # somebody is testing it
        ([(100, FAILED), (1, SENT)], True),  # mended a minute ago
        ([(100, FAILED), (30, SENT)], False),
        ([(100, SENT), (1, PENDING)], False),
        ([(100, SENT), (1, SENT)], False),
        ([(1, PENDING)], False),
        ([], False),
    ],
)
def test_a_row_stays_while_somebody_mends_its_destination(
    add: Add, seeded: SeededIds, visit: Visit, tests: list[tuple[float, dict[str, Any]]], is_listed: bool
) -> None:
    add("Pager", *tests)

    assert _names(visit(seeded.support).get("/broken").text) == ["Pager"] * is_listed


def test_what_was_never_tested_or_not_for_30_days_is_folded_away(
    add: Add, app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    add("Fresh", (60 * 24 * 29, SENT))
    add("Old", (60 * 24 * 31, SENT))
    disabled = add("Disabled")
    with app.app_context():
        set_enabled(db.session.get_one(AlertDestination, disabled), get_account(seeded), False, NOW)

    page = visit(seeded.support).get("/broken").text

    folded = page[page.index('<details class="untested"') :]
    assert "3 destinations have not accepted a message in the last 30 days, or ever" in folded
    assert [name in folded for name in ("Old", "Ticket system", "Lab system", "Fresh", "Disabled")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_the_page_can_be_limited_to_one_workspace(add: Add, seeded: SeededIds, visit: Visit) -> None:
    add("Own", (100, FAILED))
    add("Foreign", (100, FAILED), workspace_id=seeded.clinic)
    support = visit(seeded.support)

    assert _names(support.get("/broken?workspace=clinic").text) == ["Foreign"]
    assert visit(seeded.viewer).get("/broken?workspace=clinic").status_code == 404
    assert support.get("/broken?workspace=nowhere").status_code == 404


def test_one_press_tests_what_failed_where_the_role_may_test_and_nothing_else(
    add: Add, app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    own = add("Own", (100, FAILED))
    add("Works", (100, SENT))
    add("Foreign", (100, FAILED), workspace_id=seeded.clinic)

    response = visit(seeded.support).post("/broken/test")

    assert response.status_code == 200
    assert "1 test was sent." in response.text
    with app.app_context():
        requested = db.session.scalars(select(AlertDelivery).where(AlertDelivery.batch.is_not(None))).all()
        assert [(test.alert_destination_id, test.requested_by_id) for test in requested] == [(own, seeded.support)]
    assert _names(response.text) == ["Own", "Foreign"]  # the row stays, and is Pending
    assert response.text.count('data-last-test="pending"') == 1


def test_one_press_covers_several_workspaces(add: Add, app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        clinic = db.session.get_one(Workspace, seeded.clinic)
        set_role(clinic, db.session.get_one(Account, seeded.support), Role.SUPPORT)
        db.session.commit()
    add("Own", (100, FAILED))
    add("Foreign", (100, FAILED), workspace_id=seeded.clinic)

    page = visit(seeded.support).post("/broken/test").text

    assert "2 tests were sent in 2 workspaces." in page
    assert _count_requested(app) == 2


def test_a_press_in_one_workspace_leaves_others_alone(add: Add, app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        clinic = db.session.get_one(Workspace, seeded.clinic)
        set_role(clinic, db.session.get_one(Account, seeded.support), Role.SUPPORT)
        db.session.commit()
    add("Own", (100, FAILED))
    foreign = add("Foreign", (100, FAILED), workspace_id=seeded.clinic)

    visit(seeded.support).post("/broken/test", {"workspace": "clinic"})

    with app.app_context():
        requested = db.session.scalars(select(AlertDelivery).where(AlertDelivery.batch.is_not(None))).all()
        assert [test.alert_destination_id for test in requested] == [foreign]


def test_the_cooldown_is_not_shortened(add: Add, app: Flask, seeded: SeededIds, visit: Visit) -> None:
    add("Own", (0.5, FAILED))
    add("Other", (100, FAILED))
    support = visit(seeded.support)

    page = support.post("/broken/test").text
    again = support.post("/broken/test").text

    assert "1 test was sent. 1 destination was left out because it was tested less than a minute ago." in page
    assert "No tests were sent. 1 destination was left out" in again  # the other one is Pending: not broken any more
    assert _count_requested(app) == 1


def test_a_press_is_bounded_and_says_what_is_left_for_the_next(
    add: Add, app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retesting, "MAX_AT_ONCE", 2)
    for name in ("A", "Bb", "Ccc"):
        add(name, (100 + len(name), FAILED))

    page = visit(seeded.support).post("/broken/test").text

    assert "2 tests were sent. 1 more can be tested with the next press." in page
    with app.app_context():
        query = select(AlertDelivery).where(AlertDelivery.batch.is_not(None))
        assert sorted(test.destination.name for test in db.session.scalars(query)) == ["Bb", "Ccc"]


@pytest.mark.parametrize("workspace", ["clinic", ""])
def test_a_viewer_may_not_press(add: Add, app: Flask, seeded: SeededIds, visit: Visit, workspace: str) -> None:
    add("Own", (100, FAILED))
    add("Foreign", (100, FAILED), workspace_id=seeded.clinic)
    viewer = visit(seeded.viewer)

    assert "Test the failed" not in viewer.get("/broken").text
    assert viewer.post("/broken/test").status_code == 403
    assert visit(seeded.support).post("/broken/test", {"workspace": "clinic"}).status_code == 403
    assert viewer.post("/broken/test", {"workspace": "clinic"}).status_code == 404
    assert _count_requested(app) == 0


def test_without_javascript_a_press_leads_back_to_the_page(add: Add, seeded: SeededIds, visit: Visit) -> None:
    add("Own", (100, FAILED))
    support = visit(seeded.support)

    response = support.post("/broken/test", {"workspace": "harbor"}, headers=NAVIGATE)

    assert (response.status_code, response.headers["Location"]) == (303, "/broken?workspace=harbor")
    assert "1 test was sent." in support.get("/broken?workspace=harbor").text


def test_many_failures_are_counted_and_the_first_ones_shown(
    add: Add, app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    for number in range(MAX_LISTED + 1):
        add(f"Number {number:03}", (100, FAILED))
    statements: list[str] = []
    support = visit(seeded.support)
    support.get("/broken")
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    page = support.get("/broken").text

    total = f"{MAX_LISTED + 1} destinations in your 2 workspaces"
    assert f"{total} failed their last test, or their message was reported missing." in page
    assert f"This page shows the first {MAX_LISTED}." in page
    assert len(_names(page)) == MAX_LISTED
    assert len(statements) <= 9


def test_all_workspaces_are_listed_with_their_states(add: Add, seeded: SeededIds, visit: Visit) -> None:
    add("Own", (100, FAILED))
    add("Works", (100, SENT))

    page = re.sub(r"<i class=[^>]+></i>", "", visit(seeded.support).get("/workspaces").text)

    links = re.findall(r'href="(/w/[^"]+state=[^"]+)" aria-label="([^"]+)"> (\d+ \w+)<', page)
    assert links == [
        ("/w/harbor/destinations?state=failed", "1 failed in Harbor Logistics", "1 failed"),
        ("/w/harbor/destinations?state=never", "1 never in Harbor Logistics", "1 never"),
        ("/w/harbor/destinations?state=sent", "1 sent in Harbor Logistics", "1 sent"),
        ("/w/clinic/destinations?state=never", "1 never in Mill Street Clinic", "1 never"),
    ]


@pytest.mark.parametrize("path", ["/workspaces", "/w/harbor/destinations"])
def test_every_state_has_an_icon(add: Add, seeded: SeededIds, visit: Visit, path: str) -> None:
    missing = {"receipt": Receipt.MISSING, "receipt_source": ReceiptSource.MEMBER, "receipt_at": NOW}
    add("Swallowed", (100, SENT | missing))

    page = visit(seeded.support).get(path).text

    assert "state=missing" in page
    assert GENERAL_ICON not in re.findall(r'class="icon-([^"]+)"', page)


def test_the_list_of_workspaces_is_the_visitors_own(seeded: SeededIds, visit: Visit) -> None:
    assert "Mill Street Clinic" not in visit(seeded.viewer).get("/workspaces").text


def test_the_page_costs_the_same_for_60_workspaces(add: Add, app: Flask, seeded: SeededIds, visit: Visit) -> None:
    def count(path: str) -> int:
        statements: list[str] = []

        def note(*given: Any) -> None:
            statements.append(given[2])

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", note)
            support.get(path)
            event.remove(db.engine, "before_cursor_execute", note)
        return len(statements)

    support = visit(seeded.support)
    add("Own", (100, FAILED))
    support.get("/broken")
    before = [count("/broken"), count("/workspaces")]
    _add_workspaces(app, seeded, 58)

    assert [count("/broken"), count("/workspaces")] == before


def _add_workspaces(app: Flask, seeded: SeededIds, number: int) -> None:
    with app.app_context():
        now: datetime = database_clock.now()
        account = db.session.get_one(Account, seeded.support)
        for index in range(number):
            workspace = Workspace(slug=f"w{index}", name=f"Workspace {index}", created_at=now)
            db.session.add(workspace)
            db.session.flush()
            set_role(workspace, account, Role.SUPPORT)
            added = AlertDestination(
                workspace_id=workspace.id, name="Pager", type="webhook", config="", created_at=now, updated_at=now
            )
            db.session.add(added)
            db.session.flush()
            add_delivery(added, created_at=now - timedelta(hours=1), **FAILED)
