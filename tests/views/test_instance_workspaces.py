"""The instance admin's pages of workspaces: a list that stays fast, and what each form does and refuses."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.database.numbered_pages import PAGE_SIZE
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AuditEvent, DeliveryStatus, Member, Role, Workspace
from webapp.workspaces import account_disabling
from webapp.workspaces.workspace_changes import find_workspace, open_workspace

LIST = "/instance/workspaces"
NEW = {"name": "Ship yard", "slug": "yard", "first": "nobody"}


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    """The instance admin, who is the viewer of the harbor."""
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.viewer).values(is_instance_admin=True))
        db.session.commit()
    return Visitor.signed_in(app, seeded.viewer)


def _names(page: str) -> list[str]:
    return re.findall(r'<a href="/instance/workspaces/[^"]+"><bdi>([^<]+)</bdi>', page)


def _members(app: Flask, slug: str) -> dict[int, Role]:
    with app.app_context():
        query = select(Member.account_id, Member.role).join(Member.workspace).where(Workspace.slug == slug)
        return {row.account_id: row.role for row in db.session.execute(query)}


def _trail(app: Flask) -> list[tuple[str, str, str, list[str]]]:
    with app.app_context():
        events = select(AuditEvent).where(AuditEvent.workspace_id.is_(None)).order_by(AuditEvent.id)
        return [(row.account_name, row.action, row.subject, row.changed) for row in db.session.scalars(events)]


def _open_many(app: Flask, count: int) -> None:
    with app.app_context():
        workspaces = [
            {"slug": f"w-{number}", "name": f"Dock {number:04}", "created_at": NOW} for number in range(count)
        ]
        db.session.execute(Workspace.__table__.insert(), workspaces)  # type: ignore[attr-defined]
        db.session.commit()


# The list


def test_the_list_shows_every_workspace_by_name(admin: Visitor) -> None:
    page = admin.get(LIST).text

    assert _names(page) == ["Harbor Logistics", "Mill Street Clinic"]
    assert "no admin" not in page


@on_both_databases
@pytest.mark.parametrize("text", ["HARB", "logistics", "arbor"])
def test_the_list_finds_a_part_of_a_name_or_a_slug(admin: Visitor, text: str) -> None:
    assert _names(admin.get(LIST, query_string={"q": text}).text) == ["Harbor Logistics"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1"])
def test_the_list_takes_a_text_as_it_is(admin: Visitor, text: str) -> None:
    assert _names(admin.get(LIST, query_string={"q": text}).text) == []


@on_both_databases
def test_a_nul_in_a_text_finds_nothing(admin: Visitor) -> None:
    assert admin.get(LIST, query_string={"q": "har\0bor"}).status_code == 200


@on_both_databases
def test_the_list_shows_the_workspaces_without_an_admin_who_can_sign_in(
    app: Flask, seeded: SeededIds, admin: Visitor
) -> None:
    with app.app_context():
        account_disabling.set_active(db.session.get_one(Account, seeded.stranger), False, NOW, COMMAND_LINE)
        db.session.commit()

    page = admin.get(f"{LIST}?show=without-admin").text
    assert _names(page) == ["Mill Street Clinic"]
    assert "no admin" in page
    assert "1 workspace has no admin who can sign in." in admin.get("/instance").text


def test_a_long_list_has_pages(app: Flask, admin: Visitor) -> None:
    _open_many(app, 2 * PAGE_SIZE)

    first, second, last = (admin.get(f"{LIST}?page={number}").text for number in (1, 2, 9999))
    assert [len(_names(page)) for page in (first, second, last)] == [PAGE_SIZE, PAGE_SIZE, 2]
    assert "Page 3 of 3, 102 workspaces" in last
    assert set(_names(first)).isdisjoint(_names(second))


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, ""])
def test_a_page_that_is_none_is_the_first(admin: Visitor, page: str) -> None:
    assert _names(admin.get(f"{LIST}?page={page}").text)[0] == "Harbor Logistics"


@pytest.mark.parametrize("path", [LIST, f"{LIST}?show=without-admin", "/instance"])
def test_a_page_executes_as_many_queries_for_1000_workspaces(app: Flask, admin: Visitor, path: str) -> None:
    admin.get(path)
    with collecting_statements(app) as few:
        admin.get(path)
    _open_many(app, 1000)
    with collecting_statements(app) as many:
        admin.get(path)

    assert len(many) == len(few)


# Adding


def test_a_workspace_without_an_admin_leads_to_its_page(app: Flask, admin: Visitor) -> None:
    response = admin.post("/instance/add-workspace", NEW)

    assert (response.status_code, response.location) == (303, "/instance/workspaces/yard")
    assert _members(app, "yard") == {}
    assert "This workspace has no admin who can sign in" in admin.get("/instance/workspaces/yard").text
    assert admin.get("/w/yard/destinations").status_code == 404


def test_the_instance_admin_can_be_the_first_admin(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    response = admin.post("/instance/add-workspace", NEW | {"first": "me"})

    assert response.location == "/w/yard/destinations"
    assert _members(app, "yard") == {seeded.viewer: Role.ADMIN}
    assert admin.get("/w/yard/destinations").status_code == 200


def test_another_account_can_be_the_first_admin(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post("/instance/add-workspace", NEW | {"first": "account", "email": " Stranger@Example.com "})

    assert _members(app, "yard") == {seeded.stranger: Role.ADMIN}
    assert _trail(app)[-1] == (
        "Viewer",
        "added the member",
        f"Stranger (account {seeded.stranger})",
        ["admin of Ship yard (workspace yard)"],
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"slug": "Yard"}, "A slug has up to 63 lowercase letters, digits and hyphens."),
        ({"slug": ""}, "A slug has up to 63 lowercase letters, digits and hyphens."),
        ({"slug": "harbor"}, "A workspace harbor already exists."),
        ({"name": ""}, "Enter a name."),
        ({"first": ""}, "Choose who the first admin is."),
        ({"first": "account", "email": "nobody@example.com"}, "No account has this address, or it is disabled."),
        ({"first": "account", "email": "not an address"}, "No account has this address, or it is disabled."),
        ({"first": "account", "email": " "}, "Enter the email address of an account."),
    ],
)
def test_a_form_with_a_mistake_adds_nothing_and_keeps_what_was_typed(
    app: Flask, admin: Visitor, changed: dict[str, str], sentence: str
) -> None:
    response = admin.post("/instance/add-workspace", NEW | changed)

    assert response.status_code == 400
    assert sentence in response.text
    assert f'value="{(NEW | changed)["slug"]}"' in response.text
    with app.app_context():
        assert find_workspace("yard") is None
    assert _trail(app) == []


def test_a_form_shows_all_mistakes_at_once_and_the_first_one_has_the_focus(admin: Visitor) -> None:
    page = admin.post("/instance/add-workspace", NEW | {"name": "", "slug": "Yard"}).text

    assert "Enter a name." in page
    assert "A slug has up to 63 lowercase letters, digits and hyphens." in page
    assert page.index('id="name"') < page.index("autofocus") < page.index('id="slug"')


def test_a_deleted_workspaces_slug_is_refused(app: Flask, admin: Visitor) -> None:
    admin.post(f"{LIST}/harbor/delete", {"slug": "harbor"})

    response = admin.post("/instance/add-workspace", NEW | {"slug": "harbor"})
    assert response.status_code == 400
    assert "was deleted, and no other workspace gets its slug" in response.text


# Renaming, and an admin for a workspace that has none


def test_a_new_name_is_shown_to_members(seeded: SeededIds, admin: Visitor) -> None:
    admin.post(f"{LIST}/harbor/rename", {"name": " Harbor <South> "})

    assert "Harbor &lt;South&gt;" in admin.get("/w/harbor/destinations").text


def test_an_invisible_name_is_refused(app: Flask, admin: Visitor) -> None:
    assert admin.post(f"{LIST}/harbor/rename", {"name": "\u200b"}).status_code == 400
    assert _trail(app) == []


def test_a_workspace_without_an_admin_gets_one(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post("/instance/add-workspace", NEW)

    assert admin.post(f"{LIST}/yard/admin", {"email": "support@example.com"}).status_code == 303
    assert _members(app, "yard") == {seeded.support: Role.ADMIN}


def test_a_workspace_with_an_admin_gets_no_other_one(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    before = _members(app, "clinic")

    assert admin.post(f"{LIST}/clinic/admin", {"email": "viewer@example.com"}).status_code == 409
    assert _members(app, "clinic") == before


def test_a_disabled_account_becomes_no_admin(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post("/instance/add-workspace", NEW)
    with app.app_context():
        account_disabling.set_active(db.session.get_one(Account, seeded.support), False, NOW, COMMAND_LINE)
        db.session.commit()

    assert admin.post(f"{LIST}/yard/admin", {"email": "support@example.com"}).status_code == 400
    assert _members(app, "yard") == {}


# Deleting


def test_the_page_of_a_deletion_says_what_is_lost(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded))
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - timedelta(1))
    page = " ".join(admin.get(f"{LIST}/harbor/delete").text.split())

    assert "1 destination, with its settings" in page
    assert "3 memberships." in page
    assert "2 past deliveries." in page
    assert "1 delivery that waits to be sent" in page


@pytest.mark.parametrize("typed", ["", "Harbor", "clinic", "harbor2"])
def test_a_deletion_needs_the_slug(app: Flask, admin: Visitor, typed: str) -> None:
    assert admin.post(f"{LIST}/harbor/delete", {"slug": typed}).status_code == 400
    with app.app_context():
        assert find_workspace("harbor") is not None


def test_a_deleted_workspace_is_gone_for_its_members(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    member = Visitor.signed_in(app, seeded.support)
    open_page = member.get(f"/w/harbor/destinations/{seeded.destination}")
    assert admin.post(f"{LIST}/harbor/delete", {"slug": "harbor"}).status_code == 303

    pressed = member.post(f"/w/harbor/destinations/{seeded.destination}/test")
    polled = member.get(f"/w/harbor/destinations/{seeded.destination}/status")
    assert (open_page.status_code, pressed.status_code, polled.status_code) == (200, 404, 404)
    assert member.get("/workspaces").status_code == 200
    assert "Harbor Logistics" not in member.get("/workspaces").text
    with app.app_context():
        assert db.session.scalars(select(AlertDelivery)).all() == []


def test_the_trail_of_a_deleted_workspace_is_for_instance_admins_alone(
    app: Flask, seeded: SeededIds, admin: Visitor
) -> None:
    admin.post(f"{LIST}/harbor/delete", {"slug": "harbor"})
    path = "/instance/deleted-workspaces/harbor/audit"

    assert path in admin.get("/instance/deleted-workspaces").text
    assert "deleted the workspace" in admin.get(path).text
    assert Visitor.signed_in(app, seeded.admin).get(path).status_code == 404


def test_the_trail_of_a_workspace_that_was_not_deleted_is_not_shown(app: Flask, admin: Visitor) -> None:
    with app.app_context():
        open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
        db.session.commit()

    assert admin.get("/instance/deleted-workspaces/yard/audit").status_code == 404
