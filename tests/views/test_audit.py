"""The pages of the audit trail: a workspace's for its admins, the installation's for instance admins."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, list_events, seconds
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE, Action, record_destination_event, record_instance_event
from webapp.auth.accounts import add_account
from webapp.auth.session_lifetime import sign_in
from webapp.database import keyset_pages
from webapp.extensions import db
from webapp.models import Account

Visit = Callable[[int], Visitor]
PAGE = "/w/harbor/audit"
ADDED = "added name, address, signing_secret"
ALL = ["signed in", "disabled", "changed name “Old” → “New”, address", ADDED]


@pytest.fixture
def instance_admin(app: Flask, seeded: SeededIds) -> Visitor:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.viewer).values(is_instance_admin=True))
        db.session.commit()
    return Visitor.signed_in(app, seeded.viewer)


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    """The harbor's admin, after some events that have a time of their own."""
    with app.app_context():
        _record(seeded, 10, Action.CHANGED, ["name “Old” → “New”", "address"])
        _record(seeded, 20, Action.DISABLED, [])
        record_instance_event(Action.KEYS_ROTATED, "3 destinations", NOW + seconds(30), COMMAND_LINE)
        db.session.commit()
    return Visitor.signed_in(app, seeded.admin)


def _record(seeded: SeededIds, age: float, action: Action, changed: list[str]) -> None:
    record_destination_event(get_destination(seeded), get_account(seeded), action, NOW + seconds(age), changed)


def _list_actions(page: str) -> list[str]:
    """Return the third cell of each row."""
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL)[2] for row in rows]
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in cells]


def test_an_event_that_was_done_is_not_said_to_be_done(admin: Visitor) -> None:
    actions = _list_actions(admin.get(PAGE).text)

    assert actions == ALL


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=disabled", ["disabled"]),
        ("who=1&action=added", [ADDED]),
        ("who=2", []),
        ("who=command-line", []),
        ("since=2026-05-04&until=2026-05-04&action=changed", ["changed name “Old” → “New”, address"]),
        ("until=2026-05-03", []),
        (
            "who=nobody&action=nothing&since=never",
            ALL,
        ),
    ],
)
def test_the_page_shows_what_its_filter_selects(admin: Visitor, query: str, actions: list[str]) -> None:
    assert _list_actions(admin.get(f"{PAGE}?{query}").text) == actions


def test_the_chosen_filter_stays_chosen_and_can_be_cleared(admin: Visitor) -> None:
    page = admin.get(f"{PAGE}?who=2&action=deleted&since=2026-05-04").text

    assert '<option value="2" selected>Support</option>' in page
    assert '<option value="deleted" selected>Deleted</option>' in page
    assert 'value="2026-05-04"' in page
    assert f'No event matches the filter. <a href="{PAGE}">Clear the filter</a>' in page


def test_the_filters_day_is_the_readers(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.admin).values(time_zone="Pacific/Kiritimati"))
        db.session.commit()

    assert _list_actions(admin.get(f"{PAGE}?until=2026-05-03").text) == []
    assert _list_actions(admin.get(f"{PAGE}?until=2026-05-04").text)[0] == "disabled"


def test_older_events_keep_the_filter(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        for number in range(keyset_pages.PAGE_SIZE):
            _record(seeded, 100 + number, Action.ENABLED, [str(number)])
        _record(seeded, 99, Action.ENABLED, ["the oldest"])
        db.session.commit()
    first = admin.get(f"{PAGE}?action=enabled").text
    older = re.search(r'href="([^"]+)" rel="next">Older', first)

    assert older
    assert "action=enabled" in older[1]
    assert _list_actions(admin.get(older[1].replace("&amp;", "&")).text) == ["enabled the oldest"]


def test_the_csv_holds_what_the_filter_selects(admin: Visitor) -> None:
    response = admin.get(f"{PAGE}.csv?action=disabled")

    name = re.fullmatch(r'attachment; filename="(.+)"', response.headers["Content-Disposition"])
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert name
    assert re.fullmatch(r"audit-harbor-\d{8}T\d{6}Z\.csv", name[1])
    assert len(response.text.splitlines()) == 2


def test_a_workspaces_admin_sees_nothing_of_the_installation_or_of_another_workspace(admin: Visitor) -> None:
    page, file = admin.get(f"{PAGE}?of=all").text, admin.get(f"{PAGE}.csv?of=all").text

    assert not re.search("3 destinations|Lab system", page + file)
    assert admin.get("/instance/audit").status_code == 404


def test_an_instance_admin_sees_the_installations_events_alone(admin: Visitor, instance_admin: Visitor) -> None:
    page = instance_admin.get("/instance/audit").text

    assert _list_actions(page) == ["encrypted the settings anew"]
    assert "Ticket system" not in page


def test_an_instance_admin_may_see_those_of_all_workspaces_too(admin: Visitor, instance_admin: Visitor) -> None:
    page = instance_admin.get("/instance/audit?of=all&until=2026-05-04").text

    assert _list_actions(page)[0] == "encrypted the settings anew"
    assert {"Ticket system (destination 1)", "Lab system (destination 2)"} <= set(re.findall(r"<bdi>(.+?)</bdi>", page))
    assert "<bdi>Mill Street Clinic</bdi>" in page
    assert "clinic" in instance_admin.get("/instance/audit.csv?of=all").text


@pytest.mark.usefixtures("instance_admin")
def test_an_instance_admin_sees_no_workspaces_own_page(app: Flask, seeded: SeededIds) -> None:
    assert Visitor.signed_in(app, seeded.viewer).get(PAGE).status_code == 403


def test_what_somebody_without_a_workspace_does_concerns_the_installation(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        sign_in(add_account("guest@example.com", "Guest", None, NOW), NOW)
        db.session.commit()

        assert [(event.account_name, event.action) for event in list_events(None)] == [("Guest", "signed in")]
        assert list_events(get_workspace(seeded).id)[0].account_name != "Guest"
