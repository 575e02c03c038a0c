"""Which destination may be chosen to be told about the others, by whom, and what the pages and the audit trail say."""

from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer

from tests.factories import SECRET_PATH, get_account, list_events, on_both_databases
from tests.notices.chosen_destinations import add, choose, tell
from tests.notices.conftest import Installation
from tests.visitor import Visitor
from webapp.audit import Action
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, Receipt
from webapp.notices.chosen_destination import find_chosen
from webapp.notices.chosen_destination_health import Obstacle

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/problems"
PREFERENCES = "/w/harbor/problems/preferences"
CHOICE = "/w/harbor/problems/destination"


def _find_chosen(installation: Installation) -> int | None:
    with installation.app.app_context():
        chosen = find_chosen(installation.seeded.harbor)
        return chosen.destination.id if chosen else None


def _list_changes(installation: Installation) -> list[str]:
    with installation.app.app_context():
        events = list_events(installation.seeded.harbor)
        return [str(event.changed) for event in events if event.action == Action.NOTICE_DESTINATION_CHANGED]


@on_both_databases
def test_a_destination_that_works_is_chosen_and_the_choice_ends(installation: Installation) -> None:
    installation.accept()
    own = installation.seeded.destination

    assert choose(installation, own) is None
    assert choose(installation, own) is None
    assert _find_chosen(installation) == own
    assert choose(installation, None) is None
    assert _find_chosen(installation) is None

    ended, chosen = _list_changes(installation)
    name = f"Ticket system (destination {own})"
    assert chosen.index("none") < chosen.index(name)
    assert ended.index(name) < ended.index("none")


@pytest.mark.parametrize(
    "obstacle",
    [
        Obstacle.UNTESTED,
        Obstacle.DISABLED,
        Obstacle.DELETED,
        Obstacle.PAGES_PEOPLE,
        Obstacle.REPORTED_MISSING,
        Obstacle.HAS_PROBLEM,
        Obstacle.SAME_CHANNEL,
    ],
)
@on_both_databases
def test_one_that_cannot_be_told_is_refused(installation: Installation, obstacle: Obstacle) -> None:
    wanted = add(installation, "pagerduty" if obstacle is Obstacle.PAGES_PEOPLE else "slack", "Wanted")
    if obstacle is not Obstacle.UNTESTED:
        delivery_id = installation.accept(wanted)
    if obstacle is Obstacle.REPORTED_MISSING:
        with installation.app.app_context():
            db.session.get_one(AlertDelivery, delivery_id).receipt = Receipt.MISSING
            db.session.commit()
    if obstacle is Obstacle.HAS_PROBLEM:
        installation.fail(wanted)
    if obstacle is Obstacle.SAME_CHANNEL:
        installation.fail(add(installation, "slack", "Beside it"))
    with installation.destination(wanted) as destination:
        if obstacle is Obstacle.DISABLED:
            set_enabled(destination, get_account(installation.seeded), False, installation.clock.at)
        if obstacle is Obstacle.DELETED:
            delete_destination(destination, get_account(installation.seeded), installation.clock.at)

    assert choose(installation, wanted) is obstacle
    assert _find_chosen(installation) is None
    assert _list_changes(installation) == []


@pytest.mark.parametrize(("who", "status"), [("admin", 303), ("support", 403), ("viewer", 403), ("stranger", 404)])
def test_only_an_admin_chooses(installation: Installation, visit: Visit, who: str, status: int) -> None:
    installation.accept()
    own = installation.seeded.destination

    response = visit(getattr(installation.seeded, who)).post(CHOICE, {"destination": str(own)})

    assert response.status_code == status
    assert _find_chosen(installation) == (own if who == "admin" else None)


def test_a_destination_of_another_workspace_cannot_be_chosen(installation: Installation, visit: Visit) -> None:
    installation.accept(installation.seeded.foreign_destination)

    response = visit(installation.seeded.admin).post(
        CHOICE, {"destination": str(installation.seeded.foreign_destination)}
    )

    assert response.status_code == 404
    assert _find_chosen(installation) is None


def test_a_refused_choice_says_why_and_what_to_do(installation: Installation, visit: Visit) -> None:
    response = visit(installation.seeded.admin).post(CHOICE, {"destination": str(installation.seeded.destination)})

    assert response.status_code == 400
    assert "Not saved: <bdi>" in response.text
    assert "</bdi> cannot be told now. Its newest test was not accepted with the present settings." in response.text
    assert "Send it a test. It can be told once the test is accepted." in response.text
    assert f'<option value="{installation.seeded.destination}" selected>' in response.text


def test_a_refused_choice_stays_selected_beside_the_destination_that_is_told(
    installation: Installation, visit: Visit
) -> None:
    installation.accept()
    choose(installation, installation.seeded.destination)
    untested = add(installation, "slack", "Incident room")

    response = visit(installation.seeded.admin).post(CHOICE, {"destination": str(untested)})

    assert "Not saved: <bdi>Incident room</bdi> cannot be told now." in response.text
    assert response.text.count(" selected>") == 1
    assert f'<option value="{untested}" selected>' in response.text
    assert _find_chosen(installation) == installation.seeded.destination


def test_the_pages_say_who_is_told_and_who_was(
    installation: Installation, visit: Visit, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    installation.accept()
    choose(installation, installation.seeded.destination)
    installation.fail(add(installation, "slack", "On-call channel"))
    tell(installation)
    page = visit(installation.seeded.viewer).get(PAGE).text
    assert "is told too, except about problems of its own channel (Webhook)" in page
    assert "<bdi>Ticket system</bdi> accepted a message about it" in page

    installation.fail()
    page = visit(installation.seeded.viewer).get(PAGE).text
    assert "is not told about problems now. It has a problem of its own." in page
    assert "is not told about it, because it is the destination itself." in page
    assert "canary" not in page


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_the_preferences_offer_the_choice_to_admins_only(installation: Installation, visit: Visit, who: str) -> None:
    add(installation, "pagerduty", "Pager")
    page = visit(getattr(installation.seeded, who)).get(PREFERENCES).text

    assert ('<option value="1">Ticket system</option>' in page) is (who == "admin")
    assert "Pager" not in page
    assert ("An admin of this workspace can choose one." in page) is (who == "viewer")


def test_a_chosen_one_that_is_disabled_stays_chosen_and_the_page_says_so(
    installation: Installation, visit: Visit
) -> None:
    installation.accept()
    choose(installation, installation.seeded.destination)
    with installation.destination() as destination:
        set_enabled(destination, get_account(installation.seeded), False, installation.clock.at)

    page = visit(installation.seeded.admin).get(PREFERENCES).text

    assert "is not told about problems now. It is disabled." in page
    assert "selected>Ticket system (not told now)</option>" in page
