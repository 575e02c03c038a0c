"""Planned tests over HTTP: planning, canceling, watching, and Save and test, with and without JavaScript."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from benchmarks.installation.servers import QueueServer
from tests.factories import (
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from tests.visitor import Visitor
from webapp import queue
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, PlanEnd, PlannedTest
from webapp.presses.planned_test_runs import PlannedTestRuns

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/destinations/1"
LIST = "/w/harbor/destinations"
NO_SCRIPT = {"Sec-Fetch-Mode": "navigate"}
FORM = {"name": "Ticket system", "address": "", "signing_secret": ""}
SAVE_AND_TEST = {"then": "test"}


@pytest.fixture
def tested(app: Flask, seeded: SeededIds) -> None:
    """The destination was tested 19 seconds ago."""
    with app.app_context():
        now = datetime.now(UTC) - seconds(19)
        facts = {"status": DeliveryStatus.FAILED, "last_error_code": "not_found", "last_error_message": "It is gone."}
        add_delivery(get_destination(seeded), created_at=now, **facts)


def _deliveries(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(AlertDelivery)).all())


def _planned(app: Flask) -> PlannedTest | None:
    with app.app_context():
        return db.session.scalars(select(PlannedTest)).one_or_none()


def _run(app: Flask, queue_server: QueueServer, later: float = 61) -> None:
    """Let a worker look for planned tests after the cooldown, also that in Redis."""
    queue.connect(queue_server.url).flushall()
    with app.app_context():
        PlannedTestRuns().run(datetime.now(UTC) + seconds(later))


@on_both_databases
@pytest.mark.usefixtures("tested")
def test_a_press_during_the_cooldown_is_planned_and_shown(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.support).post(f"{PAGE}/plan")

    assert response.status_code == 200
    assert re.search(
        r"Planned: sends at <time [^>]+><span [^>]+>\d\d:\d\d:\d\d UTC</span></time>, by <bdi>Support</bdi>.",
        response.text,
    )
    assert 'data-last-test="failed"' in response.text
    assert "hx-get" in response.text
    assert (_deliveries(app), _planned(app) is not None) == (1, True)


@pytest.mark.usefixtures("tested")
def test_a_plain_press_during_the_cooldown_is_still_refused_with_the_seconds_left(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    visitor = visit(seeded.support)
    visitor.post(f"{PAGE}/plan")

    response = visitor.post(f"{PAGE}/test")

    assert response.status_code == 429
    assert 39 <= int(response.headers["Retry-After"]) <= 41
    assert (_deliveries(app), _planned(app) is not None) == (1, True)


def test_a_press_on_the_same_address_after_the_cooldown_is_sent(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.support).post(f"{PAGE}/plan")

    assert 'data-last-test="pending"' in response.text
    assert (_deliveries(app), _planned(app)) == (1, None)


@on_both_databases
@pytest.mark.usefixtures("tested")
def test_the_fragment_polls_until_the_planned_test_ran_and_then_shows_it(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer
) -> None:
    visitor = visit(seeded.support)
    path = re.search(r'hx-get="([^"]+)"', visitor.post(f"{PAGE}/plan").text)
    assert path
    before = visitor.get(path[1])
    _run(app, queue_server)
    after = visitor.get(path[1])

    assert ("Planned: sends at" in before.text, "HX-Trigger" in before.headers) == (True, False)
    assert ('data-last-test="pending"' in after.text, after.headers["HX-Trigger"]) == (True, "tested")
    assert "Planned" not in after.text


@pytest.mark.usefixtures("tested")
def test_everybody_sees_it_on_the_destinations_page_and_in_the_list(seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.support).post(f"{PAGE}/plan")

    pages = [visit(account).get(path).text for account in (seeded.admin, seeded.viewer) for path in (PAGE, LIST)]

    assert ["Planned: sends at" in page for page in pages] == [True] * 4
    assert ["plan/cancel" in page for page in pages] == [True, True, False, False]


@pytest.mark.usefixtures("tested")
def test_another_member_cancels_it_and_a_second_cancel_says_that_none_is_planned(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer
) -> None:
    visit(seeded.support).post(f"{PAGE}/plan")
    other = visit(seeded.admin)

    first, second = other.post(f"{PAGE}/plan/cancel"), other.post(f"{PAGE}/plan/cancel")
    _run(app, queue_server)

    assert (first.status_code, second.status_code, _deliveries(app)) == (200, 409, 1)
    assert "Admin canceled the planned test. Nothing was sent." in first.text
    assert 'role="alert"><p class="refusal">No test is planned any more.' in second.text
    assert "Test again in" in first.text


@pytest.mark.usefixtures("tested")
def test_a_viewer_neither_plans_nor_cancels(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.support).post(f"{PAGE}/plan")
    viewer = visit(seeded.viewer)

    assert [viewer.post(f"{PAGE}/{path}").status_code for path in ("plan", "plan/cancel")] == [403, 403]
    planned = _planned(app)
    assert planned is not None
    assert planned.ended_at is None


@pytest.mark.usefixtures("tested")
def test_a_disabled_destination_is_not_planned(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), False, datetime.now(UTC))

    assert visit(seeded.support).post(f"{PAGE}/plan").status_code == 409
    assert _planned(app) is None


@pytest.mark.usefixtures("tested")
def test_a_deletion_announces_that_it_cancels_the_planned_test(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    before = admin.get(f"{PAGE}/delete").text
    admin.post(f"{PAGE}/plan")

    assert ["The planned test is canceled." in page for page in (before, admin.get(f"{PAGE}/delete").text)] == [
        False,
        True,
    ]


@pytest.mark.usefixtures("tested")
def test_a_planned_test_that_was_refused_says_why_to_whoever_comes_back(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer
) -> None:
    visitor = visit(seeded.support)
    visitor.post(f"{PAGE}/plan")
    _run(app, queue_server, later=300)

    page = visitor.get(PAGE).text

    assert "The planned test was not sent: Alertcheck could not send it within two minutes of its time." in page
    assert _planned(app).end_reason is PlanEnd.EXPIRED  # type: ignore[union-attr]


@pytest.mark.usefixtures("tested")
@pytest.mark.parametrize(
    ("path", "words"), [("plan", "Planned: sends at"), ("plan/cancel", "No test is planned any more.")]
)
def test_without_javascript_a_form_leads_back_to_the_page(
    seeded: SeededIds, visit: Visit, path: str, words: str
) -> None:
    visitor = visit(seeded.support)

    response = visitor.post(f"{PAGE}/{path}", headers=NO_SCRIPT)

    assert (response.status_code, response.location) == (303, PAGE)
    assert words in visitor.get(PAGE).text


def test_planning_too_often_is_refused(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.support)
    codes = [visitor.post("/w/harbor/destinations/9/plan").status_code for _ in range(61)]

    assert (codes[59], codes[60]) == (404, 429)


# Save and test


@on_both_databases
def test_save_and_test_saves_and_sends_at_once(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    response = admin.post(f"{PAGE}/edit", FORM | {"name": "Renamed"} | SAVE_AND_TEST)
    page = admin.get(response.location).text

    assert (response.status_code, response.location) == (302, PAGE)
    assert "<bdi>Renamed</bdi> was saved. A test is being sent." in page
    assert 'data-last-test="pending"' in page
    assert _deliveries(app) == 1


@pytest.mark.usefixtures("tested")
def test_save_and_test_during_the_cooldown_plans_a_test(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    page = admin.get(admin.post(f"{PAGE}/edit", FORM | SAVE_AND_TEST).location).text

    assert "was saved. A test is planned, because the last one is less than a minute old." in page
    assert "Planned: sends at" in page
    assert (_deliveries(app), _planned(app) is not None) == (1, True)


def test_a_changed_form_that_is_submitted_twice_with_save_and_test_is_tested_once(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    admin = visit(seeded.admin)
    opened = dict(re.findall(r'name="(version)" value="([^"]+)"', admin.get(f"{PAGE}/edit").text))
    typed = FORM | {"name": "Renamed"} | opened | SAVE_AND_TEST

    pages = [admin.get(admin.post(f"{PAGE}/edit", typed).location or "").text for _ in range(2)]

    assert "was saved. A test is being sent." in pages[0]
    assert "was already saved." in pages[1]
    assert (_deliveries(app), _planned(app)) == (1, None)


def test_save_alone_sends_nothing(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).post(f"{PAGE}/edit", FORM | {"name": "Renamed"})

    assert (_deliveries(app), _planned(app)) == (0, None)


def test_a_form_that_is_not_saved_sends_nothing(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.admin).post(f"{PAGE}/edit", FORM | {"name": ""} | SAVE_AND_TEST)

    assert (response.status_code, _deliveries(app)) == (400, 0)


def test_a_new_destination_is_saved_and_tested(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    typed = {"name": "Pager", "address": "https://hooks.example.com/x", "signing_secret": SIGNING_SECRET}

    page = admin.get(admin.post(f"{LIST}/new/webhook", typed | SAVE_AND_TEST).location).text

    assert "<bdi>Pager</bdi> was added. A test is being sent." in page
    assert _deliveries(app) == 1


def test_both_forms_offer_it_and_that_of_a_disabled_destination_does_not(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    admin = visit(seeded.admin)
    offered = [admin.get(path).text for path in (f"{PAGE}/edit", f"{LIST}/new/webhook")]
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), False, datetime.now(UTC))

    assert ['name="then" value="test"' in page for page in offered] == [True, True]
    assert 'name="then"' not in admin.get(f"{PAGE}/edit").text


def test_save_and_test_of_a_destination_that_was_disabled_meanwhile_saves_and_says_why_nothing_is_sent(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), False, datetime.now(UTC))
    admin = visit(seeded.admin)

    page = admin.get(admin.post(f"{PAGE}/edit", FORM | {"name": "Renamed"} | SAVE_AND_TEST).location).text

    assert "was saved. This destination is disabled. Enable it to send a test." in page
    assert _deliveries(app) == 0
