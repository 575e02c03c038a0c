"""The audit trail: every action adds a row, and no row is ever changed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from tests.factories import NOW, SIGNING_SECRET, SeededIds, on_both_databases
from tests.visitor import Visitor
from webapp.auth.refused_sign_ins import report_refused_sign_ins
from webapp.extensions import db
from webapp.models import AuditEvent

Visit = Callable[[int], Visitor]
DESTINATION = "/w/harbor/destinations/1"


def _trail(app: Flask) -> list[tuple[str, str, list[str]]]:
    """List who did what, oldest first, without the events of the seeded data."""
    with app.app_context():
        events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [(event.account_name, event.action, event.changed) for event in events if event.happened_at != NOW]


@on_both_databases
@pytest.mark.parametrize(
    "change", ["UPDATE audit_events SET account_name = 'somebody else'", "DELETE FROM audit_events"]
)
def test_the_database_refuses_to_change_the_trail(context: None, seeded: SeededIds, change: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(change))


def test_a_press_is_recorded_with_who_pressed(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.support).post(f"{DESTINATION}/test")

    assert ("Support", "sent a test", []) in _trail(app)


def test_a_refused_press_leaves_no_row(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.viewer).post(f"{DESTINATION}/test")

    assert [row for row in _trail(app) if row[1] == "sent a test"] == []


def test_a_change_is_recorded_by_the_names_of_its_fields(
    app: Flask, seeded: SeededIds, visit: Visit, httpserver: HTTPServer
) -> None:
    address = f"http://127.0.0.1:{httpserver.port}/another/canary"

    visit(seeded.admin).post(f"{DESTINATION}/edit", {"name": "Renamed", "address": address, "signing_secret": ""})

    assert ("Admin", "changed", ["name “Ticket system” → “Renamed”", "address"]) in _trail(app)


def test_saving_without_a_change_is_not_recorded(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).post(
        f"{DESTINATION}/edit", {"name": "Ticket system", "address": "", "signing_secret": SIGNING_SECRET}
    )

    assert [row for row in _trail(app) if row[1] == "changed"] == []


@pytest.mark.parametrize(
    ("actions", "recorded"),
    [
        (["disable"], ["disabled"]),
        (["disable", "enable"], ["disabled", "enabled"]),
        (["delete"], ["deleted"]),
        (["enable"], []),
        (["disable", "disable"], ["disabled"]),
    ],
)
def test_disabling_enabling_and_deleting_are_recorded_where_they_change_something(
    app: Flask, seeded: SeededIds, visit: Visit, actions: list[str], recorded: list[str]
) -> None:
    admin = visit(seeded.admin)
    for action in actions:
        admin.post(f"{DESTINATION}/{action}")

    assert _trail(app)[1:] == [("Admin", action, []) for action in recorded]


def test_the_page_shows_the_trail_to_admins(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    visitor.post(f"{DESTINATION}/disable")

    assert "Ticket system (destination 1)" in visitor.get("/w/harbor/audit").text


@pytest.mark.parametrize(("who", "status"), [("support", 403), ("viewer", 403), ("stranger", 404)])
def test_only_admins_see_the_page(seeded: SeededIds, visit: Visit, who: str, status: int) -> None:
    assert visit(getattr(seeded, who)).get("/w/harbor/audit").status_code == status


def test_the_page_shows_nothing_of_another_workspace(seeded: SeededIds, visit: Visit) -> None:
    assert "Lab system" not in visit(seeded.admin).get("/w/harbor/audit").text


def test_a_refused_sign_in_is_shown_once_the_worker_reported_it(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    Visitor.anonymous(app).post("/sign-in", {"email": "admin@example.com", "password": "not it"})
    admin = visit(seeded.admin)
    before = admin.get("/w/harbor/audit").text

    with app.app_context():
        report_refused_sign_ins(datetime.now(UTC))

    row = ["Unknown visitor", "tried to sign in Refused", "Admin (account 1)"]
    assert "tried to sign in" not in before
    assert row in _read_rows(admin.get("/w/harbor/audit").text)


def _read_rows(page: str) -> list[list[str]]:
    """Return the cells of each row of the page's table, without its time."""
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    return [
        [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)[1:]]
        for row in rows
    ]


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (("add-member", "harbor", "viewer@example.com", "support"), ["changed the role viewer → support", "Viewer"]),
        (("add-member", "harbor", "stranger@example.com", "admin"), ["added the member admin", "Stranger"]),
        (("remove-member", "harbor", "viewer@example.com"), ["removed the member viewer", "Viewer"]),
        (("set-password", "viewer@example.com"), ["set the password", "Viewer"]),
        (("set-active", "viewer@example.com", "false"), ["disabled the account", "Viewer"]),
    ],
)
def test_the_page_shows_what_was_done_by_command(
    app: Flask, seeded: SeededIds, visit: Visit, words: tuple[str, ...], row: list[str]
) -> None:
    admin = visit(seeded.admin)
    app.test_cli_runner().invoke(args=words, input="rowing boat, 17 oars\n" * 2)

    who, action, subject = _read_rows(admin.get("/w/harbor/audit").text)[0]

    assert [who, action, subject.partition(" (")[0]] == ["Command line", *row]
