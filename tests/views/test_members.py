"""The members' pages: who sees them, what they show, what an admin can change, and what asks first."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import CHEAP_HASH, NOW, SeededIds, add_customer_link, add_invitation, on_both_databases
from tests.single_sign_on.set_up_later import link, set_provider
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE, Action
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, MemberSource, PlannedTest, Role, Workspace
from webapp.views import members as view
from webapp.workspaces import account_disabling, membership_changes
from webapp.workspaces.membership_changes import grant_role, set_role
from webapp.workspaces.support_everywhere import grant_support_everywhere

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/members"


@pytest.fixture
def second_admin(app: Flask, seeded: SeededIds) -> int:
    return _add_member(app, seeded, "Ben", Role.ADMIN)


def _add_member(
    app: Flask, seeded: SeededIds, name: str, role: Role, source: MemberSource = MemberSource.PERSON
) -> int:
    with app.app_context():
        account = add_account(f"{name.lower()}@example.com", name, None, NOW)
        if source is MemberSource.GROUPS:
            link(account)
        grant_role(db.session.get_one(Workspace, seeded.harbor), account, role, NOW, COMMAND_LINE, source)
        db.session.commit()
        return account.id


def _roles(app: Flask) -> dict[str, Role]:
    with app.app_context():
        query = select(Account.name, Member.role).join(Member.account).join(Member.workspace)
        return {row.name: row.role for row in db.session.execute(query.where(Workspace.slug == "harbor"))}


def _trail(app: Flask) -> list[tuple[str, str, str, list[str]]]:
    with app.app_context():
        is_change = (AuditEvent.happened_at > NOW) & (AuditEvent.action != Action.SIGNED_IN)
        events = db.session.scalars(select(AuditEvent).where(is_change).order_by(AuditEvent.id))
        return [(event.account_name, event.action, event.subject, event.changed) for event in events]


def _read_rows(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def _read_names(page: str) -> list[str]:
    return [row[0].split()[0] for row in _read_rows(page)]


def _flash(page: str) -> list[str]:
    return [
        re.sub("[\u2066-\u2069]", "", text) for text in re.findall(r'<p class="flash" role="status">([^<]+)<', page)
    ]


@on_both_databases
def test_the_list_shows_who_has_which_role_how_and_since_when(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    _add_member(app, seeded, "Ann", Role.VIEWER)
    with app.app_context():
        viewer = db.session.get_one(Account, seeded.viewer)
        viewer.password_hash, viewer.last_seen_at = CHEAP_HASH, datetime(2026, 5, 3, 23, 59, tzinfo=UTC)
        db.session.get_one(Account, seeded.support).is_active = False
        db.session.commit()

    assert _read_rows(visit(seeded.admin).get(LIST).text) == [
        ["Admin (you) admin@example.com", "admin", "nothing yet", "never", "not recorded"],
        ["Support support@example.com", "support Disabled", "nothing yet", "never", "not recorded"],
        ["Ann ann@example.com", "viewer", "nothing yet", "never", "2026-05-04 by Command line"],
        ["Viewer viewer@example.com", "viewer", "password", "2026-05-03", "not recorded"],
    ]


def test_roles_by_groups_and_support_everywhere_are_shown_as_such(
    app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_provider(app, monkeypatch)
    _add_member(app, seeded, "Gus", Role.SUPPORT, MemberSource.GROUPS)
    with app.app_context():
        grant_support_everywhere(db.session.get_one(Account, seeded.stranger), NOW, COMMAND_LINE)
        db.session.commit()

    roles = {row[0].split()[0]: row[1] for row in _read_rows(visit(seeded.admin).get(LIST).text)}
    assert (roles["Gus"], roles["Stranger"]) == ("support Managed by groups", "support Support everywhere")


@pytest.fixture
def crowd(app: Flask, seeded: SeededIds) -> SeededIds:
    """A workspace with 500 members: those seeded and viewers whose names begin with Özge."""
    with app.app_context():
        names = {f"crowd-{number:03}@example.com": f"Özge {number:03}" for number in range(497)}
        accounts = [Account(email=email, name=name, created_at=NOW) for email, name in names.items()]
        db.session.add_all(accounts)
        db.session.flush()
        db.session.add_all(
            Member(workspace_id=seeded.harbor, account_id=account.id, role=Role.VIEWER) for account in accounts
        )
        db.session.commit()
    return seeded


def test_the_list_of_500_members_has_pages_counts_and_a_filter(crowd: SeededIds, visit: Visit) -> None:
    admin = visit(crowd.admin)
    first = admin.get(LIST).text
    last = admin.get(f"{LIST}?page=99").text

    assert (len(_read_rows(first)), len(_read_rows(last)), "Page 10 of 10, 500 members" in last) == (50, 50, True)
    assert re.findall(r"(\w+) <b>(\d+)</b>", first) == [
        ("All", "500"), ("Admins", "1"), ("Support", "1"), ("Viewers", "498")
    ]  # fmt: skip
    assert _read_names(admin.get(f"{LIST}?role=support").text) == ["Support"]
    assert _read_names(admin.get(f"{LIST}?q=öZGE 25").text) == ["Özge"] * 10
    assert _read_names(admin.get(f"{LIST}?q=SUPPORT@example").text) == ["Support"]
    assert "No member matches the filter." in admin.get(f"{LIST}?q=%25").text


def test_the_list_costs_as_many_queries_for_500_members_as_for_three(
    crowd: SeededIds, seeded: SeededIds, visit: Visit, app: Flask, count_queries: Callable[[], object]
) -> None:
    with app.app_context():
        clinic = db.session.get_one(Workspace, seeded.clinic)
        set_role(clinic, db.session.get_one(Account, seeded.admin), Role.ADMIN)
        db.session.commit()
    admin = visit(seeded.admin)
    admin.get(LIST)

    with count_queries() as of_many:  # type: ignore[attr-defined]
        admin.get(LIST)
    with count_queries() as of_few:  # type: ignore[attr-defined]
        admin.get("/w/clinic/members")

    assert len(of_many) == len(of_few) < 10


@on_both_databases
def test_an_admin_changes_a_role(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    response = admin.post(f"{LIST}/{seeded.viewer}/role", {"role": "admin"})

    assert (response.status_code, response.location) == (303, LIST)
    assert _roles(app)["Viewer"] is Role.ADMIN
    assert _trail(app) == [("Admin", "changed the role", f"Viewer (account {seeded.viewer})", ["viewer → admin"])]
    assert _flash(admin.get(LIST).text) == ["Viewer is now admin."]


@on_both_databases
def test_an_admin_removes_a_member_who_is_out_at_once(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin, viewer = visit(seeded.admin), visit(seeded.viewer)
    before = viewer.get("/w/harbor/destinations").status_code

    response = admin.post(f"{LIST}/{seeded.viewer}/remove")

    assert (before, response.status_code, response.location) == (200, 303, LIST)
    assert viewer.get("/w/harbor/destinations").status_code == 404
    assert viewer.get("/").status_code == 200  # the account and its session stay
    assert "Viewer" not in _roles(app)
    assert _trail(app) == [("Admin", "removed the member", f"Viewer (account {seeded.viewer})", ["viewer"])]
    assert _flash(admin.get(LIST).text) == ["Viewer is no longer a member."]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("destinations", {"HX-Source": "div#page"}),
        ("destinations/1/status", {}),
        ("destinations/1/watch", {}),
        ("state", {}),
        ("batches/0f", {}),
        ("history", {"HX-Source": "div#page"}),
    ],
)
def test_an_open_page_of_a_removed_member_loads_itself_again(
    seeded: SeededIds, visit: Visit, path: str, headers: dict[str, str]
) -> None:
    support = visit(seeded.support)
    visit(seeded.admin).post(f"{LIST}/{seeded.support}/remove")

    response = support.get(f"/w/harbor/{path}", headers={"HX-Request": "true"} | headers)
    page = support.get("/w/harbor/destinations")

    assert (response.status_code, response.headers["HX-Refresh"]) == (404, "true")
    assert (page.status_code, "you are not a member of its workspace" in page.text) == (404, True)
    assert "Harbor Logistics" not in page.text


@pytest.mark.parametrize(
    "path", ["members", "members/1/role?role=viewer", "members/1/remove", "audit", "destinations/new"]
)
def test_an_admin_who_was_lowered_gets_no_page_of_admins(
    app: Flask, seeded: SeededIds, second_admin: int, visit: Visit, path: str
) -> None:
    lowered = visit(second_admin)
    before = lowered.get(f"/w/harbor/{path}").status_code

    visit(seeded.admin).post(f"{LIST}/{second_admin}/role", {"role": "support"})

    assert (before, lowered.get(f"/w/harbor/{path}").status_code) == (200, 403)


@pytest.mark.parametrize(("act", "data"), [("role", {"role": "viewer", "confirmed": "yes"}), ("remove", {})])
def test_the_last_admin_stays_and_reads_why(
    app: Flask, seeded: SeededIds, visit: Visit, act: str, data: dict[str, str]
) -> None:
    admin = visit(seeded.admin)
    response = admin.post(f"{LIST}/{seeded.admin}/{act}", data)

    sentence = "Admin is the last admin of Harbor Logistics who can sign in. Make somebody else an admin first."
    assert (response.status_code, f"Not changed: {sentence}" in response.text) == (409, True)
    assert (_roles(app)["Admin"], _trail(app)) == (Role.ADMIN, [])


def test_the_last_admin_is_offered_nothing_that_would_be_refused(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get(f"{LIST}/{seeded.admin}").text

    assert "Admin is the last admin of Harbor Logistics who can sign in." in page
    assert ('name="role"' in page, "/remove" in page) == (False, False)
    assert '<button class="danger">' not in visit(seeded.admin).get(f"{LIST}/{seeded.admin}/remove").text


def test_lowering_oneself_asks_first(app: Flask, seeded: SeededIds, second_admin: int, visit: Visit) -> None:
    admin = visit(seeded.admin)
    asked = admin.post(f"{LIST}/{seeded.admin}/role", {"role": "support"})
    question = admin.get(asked.location).text
    roles = _roles(app)["Admin"]

    confirmed = admin.post(f"{LIST}/{seeded.admin}/role", {"role": "support", "confirmed": "yes"})

    assert (asked.status_code, asked.location) == (303, f"{LIST}/{seeded.admin}/role?role=support")
    assert ("<h1>Become support?</h1>" in question, 'name="confirmed" value="yes"' in question) == (True, True)
    assert (roles, _roles(app)["Admin"]) == (Role.ADMIN, Role.SUPPORT)
    assert (confirmed.status_code, confirmed.location) == (303, "/w/harbor/destinations")
    assert _flash(admin.get(confirmed.location).text) == ["You are now support in Harbor Logistics."]


def test_leaving_asks_first_and_leads_to_the_start(
    app: Flask, seeded: SeededIds, second_admin: int, visit: Visit
) -> None:
    admin = visit(seeded.admin)
    question = admin.get(f"{LIST}/{seeded.admin}/remove").text

    left = admin.post(f"{LIST}/{seeded.admin}/remove")

    assert "<h1>Leave this workspace?</h1>" in question
    assert (left.status_code, left.location, "Admin" in _roles(app)) == (303, "/", False)
    assert _flash(admin.get("/").text) == ["You have left Harbor Logistics."]


@pytest.mark.parametrize("path", ["", "/remove", "/role?role=viewer"])
def test_the_pages_say_what_will_end(app: Flask, seeded: SeededIds, visit: Visit, path: str) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        for number in range(2):
            add_customer_link(seeded, f"token-{number}", seeded.support, now)
        add_customer_link(seeded, "another", seeded.admin, now)
        add_invitation(seeded, "for their address", now, "support@example.com")
        add_invitation(seeded, "of the admin", now, "jo@example.com")
        planned = {"workspace_id": seeded.harbor, "alert_destination_id": seeded.destination}
        db.session.add(PlannedTest(**planned, planned_by_id=seeded.support, due_at=now, created_at=now))
        db.session.commit()

    page = visit(seeded.admin).get(f"{LIST}/{seeded.support}{path}").text
    nothing = visit(seeded.admin).get(f"{LIST}/{seeded.viewer}/remove").text

    assert re.findall(r"<li>(\d+ [^<]+)</li>", page) == ["2 links for customers", "1 invitation", "1 planned test"]
    assert "This member has no links for customers, invitations or planned tests here that would end." in nothing


def test_a_role_that_a_member_has_already_is_not_said_to_be_changed(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    admin.post(f"{LIST}/{seeded.viewer}/role", {"role": "viewer"})

    assert _flash(admin.get(LIST).text) == ["Not changed: Viewer is already viewer."]


def test_a_role_that_groups_decided_can_be_changed_once_the_provider_is_turned_off(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    gus = _add_member(app, seeded, "Gus", Role.SUPPORT, MemberSource.GROUPS)
    admin = visit(seeded.admin)
    roles = {row[0].split()[0]: row[1] for row in _read_rows(admin.get(LIST).text)}
    page = admin.get(f"{LIST}/{gus}").text

    assert roles["Gus"] == "support Role from groups"
    assert ("Role from groups" in page, 'name="role"' in page, "/remove" in page) == (True, True, True)
    assert [admin.post(f"{LIST}/{gus}/{act}", {"role": "viewer"}).status_code for act in ("role", "remove")] == [
        303,
        303,
    ]
    assert "Gus" not in _roles(app)


def test_a_role_that_groups_decide_is_not_offered_to_be_changed(
    app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_provider(app, monkeypatch)
    gus = _add_member(app, seeded, "Gus", Role.SUPPORT, MemberSource.GROUPS)
    admin = visit(seeded.admin)
    page = admin.get(f"{LIST}/{gus}").text

    assert ("Managed by groups" in page, 'name="role"' in page, "/remove" in page) == (True, False, False)
    refused = [admin.post(f"{LIST}/{gus}/{act}", {"role": "viewer"}) for act in ("role", "remove")]
    assert [response.status_code for response in refused] == [409, 409]
    assert "The groups of the company account decide the role of Gus." in refused[0].text
    assert _roles(app)["Gus"] is Role.SUPPORT


def test_whoever_supports_every_workspace_can_be_raised_and_falls_back(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        grant_support_everywhere(db.session.get_one(Account, seeded.stranger), NOW, COMMAND_LINE)
        db.session.commit()
    admin, path = visit(seeded.admin), f"{LIST}/{seeded.stranger}"
    offered = re.findall(r'name="role" value="(\w+)"', admin.get(path).text)

    refused = admin.post(f"{path}/remove").status_code
    admin.post(f"{path}/role", {"role": "admin"})
    raised = _roles(app)["Stranger"]
    removed = admin.post(f"{path}/remove")

    assert (offered, refused, raised) == (["admin", "support"], 409, Role.ADMIN)
    assert (removed.status_code, _roles(app)["Stranger"]) == (303, Role.SUPPORT)
    assert (
        _flash(admin.get(LIST).text)[-1] == "Stranger is now only support in Harbor Logistics, as in every workspace."
    )


def test_an_unknown_role_is_refused(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    statuses = [
        visit(seeded.admin).post(f"{LIST}/{seeded.viewer}/role", data).status_code
        for data in ({}, {"role": ""}, {"role": "owner"}, {"role": "ADMIN"})
    ]

    assert (statuses, _roles(app)["Viewer"]) == ([400] * 4, Role.VIEWER)


def test_an_admin_of_another_workspace_has_no_power_here(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    stranger = visit(seeded.stranger)
    paths = [f"/w/{slug}/members/{seeded.viewer}/{act}" for slug in ("harbor", "clinic") for act in ("role", "remove")]

    assert [stranger.post(path, {"role": "admin"}).status_code for path in paths] == [404] * 4
    assert (_roles(app)["Viewer"], _trail(app)) == (Role.VIEWER, [])


def test_nobody_raises_themselves(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    path = f"{LIST}/{seeded.support}/role"

    assert visit(seeded.support).post(path, {"role": "admin", "confirmed": "yes"}).status_code == 403
    assert _roles(app)["Support"] is Role.SUPPORT


Meanwhile = Callable[[Flask, SeededIds, int], None]


def _remove_by_command(app: Flask, seeded: SeededIds, account_id: int) -> None:
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, account_id)), NOW, COMMAND_LINE)


def _lower_by_command(app: Flask, seeded: SeededIds, account_id: int) -> None:
    account = db.session.get_one(Account, account_id)
    grant_role(db.session.get_one(Workspace, seeded.harbor), account, Role.VIEWER, NOW, COMMAND_LINE)


def _disable_by_command(app: Flask, seeded: SeededIds, account_id: int) -> None:
    account_disabling.set_active(db.session.get_one(Account, account_id), False, NOW, COMMAND_LINE)


@pytest.fixture
def meanwhile(app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch) -> Callable[[Meanwhile, int], None]:
    """Let something happen after a request has checked who asks, and before it locks anything."""

    def arrange(act: Meanwhile, account_id: int) -> None:
        load = view._load_member

        def load_then_act(*arguments: object) -> Member:
            member = load(*arguments)  # type: ignore[arg-type]
            monkeypatch.setattr(view, "_load_member", load)
            with app.app_context():
                act(app, seeded, account_id)
                db.session.commit()
            return member

        monkeypatch.setattr(view, "_load_member", load_then_act)

    return arrange


@on_both_databases
@pytest.mark.parametrize("act", ["role", "remove"])
@pytest.mark.parametrize(
    ("end", "status"), [(_remove_by_command, 404), (_lower_by_command, 403), (_disable_by_command, 403)]
)
def test_an_admin_whose_rights_end_meanwhile_changes_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, second_admin: int,
    meanwhile: Callable[[Meanwhile, int], None], act: str, end: Meanwhile, status: int,
) -> None:  # fmt: skip
    ending = visit(second_admin)
    meanwhile(end, second_admin)

    assert ending.post(f"{LIST}/{seeded.viewer}/{act}", {"role": "admin"}).status_code == status
    assert _roles(app)["Viewer"] is Role.VIEWER


@on_both_databases
@pytest.mark.parametrize("act", ["role", "remove"])
def test_a_change_of_somebody_whom_another_admin_removed_adds_nobody(
    app: Flask, seeded: SeededIds, visit: Visit, meanwhile: Callable[[Meanwhile, int], None], act: str
) -> None:
    admin = visit(seeded.admin)
    meanwhile(_remove_by_command, seeded.viewer)

    response = admin.post(f"{LIST}/{seeded.viewer}/{act}", {"role": "admin"})

    assert (response.status_code, "Viewer" in _roles(app)) == (303, False)
    assert _flash(admin.get(LIST).text) == ["Viewer is no longer a member. Somebody else has removed them."]
