"""Access to the instance's pages: every route, for whoever administers the installation, and whoever no longer does."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from tests.factories import NOW, SeededIds
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth.instance_admins import make_instance_admin, revoke_instance_admin
from webapp.extensions import db
from webapp.models import Account, SignIn
from webapp.workspaces import account_disabling
from webapp.workspaces.support_everywhere import grant_support_everywhere
from webapp.workspaces.workspace_changes import find_workspace, open_workspace
from webapp.workspaces.workspace_deletion import delete_workspace

# The expected status of each route, for an instance admin: with an object that exists, and with one that does not.
# Whoever opens one of the pages below without being one gets the response to a page that does not exist.
TABLE = """
GET  /instance                                           200
GET  /instance/mail                                      200
POST /instance/mail                                      404
GET  /instance/mail-check                                200
POST /instance/mail-check                                404
GET  /instance/workspaces                                200
GET  /instance/workspaces/<slug>                         200 404
POST /instance/workspaces/<slug>/rename                  303 404
POST /instance/workspaces/<slug>/admin                   409 404
GET  /instance/workspaces/<slug>/delete                  200 404
POST /instance/workspaces/<slug>/delete                  303 404
GET  /instance/add-workspace                             200
POST /instance/add-workspace                             303
GET  /instance/deleted-workspaces                        200
GET  /instance/deleted-workspaces/<deleted>/audit        200 404
GET  /instance/deleted-workspaces/<deleted>/audit.csv    200 404
GET  /instance/audit                                     200
GET  /instance/audit.csv                                 200
GET  /instance/accounts                                  200
GET  /instance/accounts/<account_id>                     200 404
POST /instance/accounts/<account_id>/disable             303 404
POST /instance/accounts/<account_id>/enable              303 404
POST /instance/accounts/<account_id>/end-sessions        303 404
POST /instance/accounts/<account_id>/reset-link          200 404
POST /instance/accounts/<account_id>/unlink              409 404
POST /instance/accounts/<account_id>/support-everywhere  303 404
"""
ROWS = [line.split() for line in TABLE.splitlines() if line]
WITH_OBJECT = [row for row in ROWS if len(row) == 4]

EXISTING = {"slug": "clinic", "deleted": "yard", "account_id": "4"}
MISSING = [
    {"slug": "nowhere", "deleted": "nowhere", "account_id": "999999"},
    {"slug": "yard", "deleted": "clinic", "account_id": "0"},
    {"slug": "%00", "deleted": "%00", "account_id": "1%00"},
    {"slug": "Clinic", "deleted": "Yard", "account_id": "9" * 40},
]
FORM = {"name": "A name", "slug": "clinic", "first": "nobody", "email": "viewer@example.com", "value": "on"}

# Who may open the pages, and who may not. The first three administer a workspace too, which changes nothing.
ADMINS = ("flag", "session", "flag and no workspace")
OTHERS = ("admin", "support", "viewer", "stranger", "everywhere", "revoked", "other session", "disabled", "nobody")

Open = Callable[[str], Visitor]


@pytest.fixture
def open_as(app: Flask, seeded: SeededIds) -> Open:
    """Open a browser for somebody, who has become what they are before."""

    def open_as(who: str) -> Visitor:
        if who == "nobody":
            return Visitor.anonymous(app)
        roles = {"support": seeded.support, "viewer": seeded.viewer, "stranger": seeded.stranger}
        account_id = roles.get(who, seeded.admin)
        visitor = Visitor.signed_in(app, account_id)
        with app.app_context():
            _become(who, db.session.get_one(Account, account_id), seeded)
            db.session.commit()
        return visitor

    return open_as


def _become(who: str, account: Account, seeded: SeededIds) -> None:
    """Make an account what the test needs. Another one is an instance admin, so that this one is not the last."""
    delete_workspace(open_workspace("yard", "Ship yard", NOW, COMMAND_LINE), NOW, COMMAND_LINE)
    make_instance_admin(
        db.session.get_one(Account, seeded.viewer if who != "viewer" else seeded.support), NOW, COMMAND_LINE
    )
    match who:
        case "flag":
            make_instance_admin(account, NOW, COMMAND_LINE)
        case "flag and no workspace":
            make_instance_admin(account, NOW, COMMAND_LINE)
            harbor = find_workspace("harbor")
            assert harbor
            delete_workspace(harbor, NOW, COMMAND_LINE)
        case "session":
            db.session.execute(update(SignIn).where(SignIn.account_id == account.id).values(is_instance_admin=True))
        case "other session":
            another = SignIn(id="s" * 43, account_id=account.id, started_at=datetime.now(UTC), is_instance_admin=True)
            db.session.add(another)
        case "revoked":
            make_instance_admin(account, NOW, COMMAND_LINE)
            revoke_instance_admin(account, NOW, COMMAND_LINE)
        case "everywhere":
            grant_support_everywhere(account, NOW, COMMAND_LINE)
        case "disabled":
            make_instance_admin(account, NOW, COMMAND_LINE)
            account_disabling.set_active(account, False, NOW, COMMAND_LINE)


def _request(visitor: Visitor, method: str, rule: str, place: dict[str, str]) -> TestResponse:
    path = re.sub(r"<(\w+)>", lambda name: place[name[1]], rule)
    form = FORM | ({"slug": "dock"} if "add-workspace" in rule else {})
    return visitor.get(path) if method == "GET" else visitor.post(path, form)


def _without_token(response: TestResponse) -> tuple[int, str]:
    return response.status_code, re.sub(
        r'name="csrf_token"[^>]*value="[^"]+"|"X-CSRFToken": "[^"]+"', "", response.text
    )


def test_every_route_of_the_instance_is_in_the_table(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/instance")]
    routes = {f"{method} {rule.rule}" for rule in rules for method in rule.methods or () if method in ("GET", "POST")}

    named = {f"{method} {rule}".replace("<deleted>", "<slug>") for method, rule, *_ in ROWS}
    assert routes == named


@pytest.mark.parametrize("who", ADMINS)
def test_an_instance_admin_gets_the_status_in_the_table(open_as: Open, who: str) -> None:
    visitor = open_as(who)
    # Deleting comes last, because the other routes need the workspace.
    ordered = sorted(ROWS, key=lambda row: row[1].endswith("/delete") and row[0] == "POST")

    found = [[method, rule, str(_request(visitor, method, rule, EXISTING).status_code)] for method, rule, *_ in ordered]
    assert found == [row[:3] for row in ordered]


@pytest.mark.parametrize("who", ADMINS)
def test_an_instance_admin_finds_nothing_that_does_not_exist(open_as: Open, who: str) -> None:
    visitor = open_as(who)

    responses = [
        _without_token(_request(visitor, method, rule, place)) for method, rule, *_ in WITH_OBJECT for place in MISSING
    ]
    assert {status for status, _ in responses} == {404}
    assert len(set(responses)) == 1


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_finds_a_page_of_the_instance(open_as: Open, who: str) -> None:
    visitor = open_as(who)
    refused = 302 if who in ("nobody", "disabled") else 404

    places = [EXISTING, *MISSING]
    found = {_request(visitor, method, rule, place).status_code for method, rule, *_ in ROWS for place in places}
    assert found == {refused}


@pytest.mark.parametrize("who", ["admin", "everywhere", "revoked", "other session"])
def test_a_page_of_the_instance_looks_like_one_that_does_not_exist(open_as: Open, who: str) -> None:
    visitor = open_as(who)
    unknown = _without_token(visitor.get("/no-such-page"))

    assert {_without_token(visitor.get(rule)) for method, rule, *_ in ROWS if method == "GET"} == {unknown}


@pytest.mark.parametrize("who", ADMINS)
def test_an_instance_admin_is_no_member_of_another_workspace(open_as: Open, who: str) -> None:
    visitor = open_as(who)

    assert visitor.get("/w/clinic/destinations").status_code == 404
    assert visitor.get("/w/clinic/audit").status_code == 404


@pytest.mark.parametrize(("who", "is_shown"), [*((who, True) for who in ADMINS), ("admin", False), ("revoked", False)])
def test_the_account_menu_leads_there_whoever_may_open_it(open_as: Open, who: str, is_shown: bool) -> None:
    page = open_as(who).get("/search").text

    assert ('href="/instance"' in page) is is_shown


def test_an_instance_admin_without_a_workspace_starts_there(open_as: Open) -> None:
    assert open_as("flag and no workspace").get("/").location == "/instance"
