"""Who gets an account, who is linked to one, and what groups give and take."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import CHEAP_HASH, NOW, PASSWORD, SeededIds, on_both_databases
from tests.single_sign_on.conftest import SignIn
from tests.single_sign_on.provider import PUBLIC_URL, TestProvider
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth import accounts
from webapp.auth.account_links import add_link, find_link
from webapp.auth.accounts import change_password, find_by_email
from webapp.auth.external_identities import list_linked, unlink_account
from webapp.extensions import db
from webapp.instance.workspaces import WorkspaceFilter, list_workspaces
from webapp.models import Account, AccountLinkKind, AuditEvent, ExternalIdentity, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_account
from webapp.settings.single_sign_on import GroupRole, SingleSignOn
from webapp.single_sign_on.admission import admit
from webapp.single_sign_on.people import Person
from webapp.single_sign_on.refusals import Refusal, SignOnRefused
from webapp.workspaces.account_disabling import set_active
from webapp.workspaces.membership_changes import grant_role
from webapp.workspaces.support_everywhere import grant_support_everywhere

ISSUER = "https://login.example.com"
SETTINGS = SingleSignOn(
    issuer=ISSUER,
    client_id="alertcheck",
    client_secret="canary",
    name="Harbor account",
    groups_claim="groups",
    group_roles=(
        GroupRole("ops", "harbor", "admin"),
        GroupRole("helpdesk", "harbor", "support"),
        GroupRole("desk", "clinic", "viewer"),
        GroupRole("ops", "nowhere", "admin"),
    ),
    is_only=False,
    public_url=PUBLIC_URL,
)
ADMIN = "admin@example.com"


def person(*groups: str, **facts: Any) -> Person:
    """Return somebody whom the provider signed in: by default Ada, whose address it has confirmed."""
    known: dict[str, Any] = {
        "subject": "s-1",
        "name": "Ada Harbor",
        "email": "ada@example.com",
        "is_email_verified": True,
    } | facts
    return Person(issuer=ISSUER, groups=frozenset(groups), **known)


def let_in(somebody: Person) -> Account:
    account = admit(somebody, SETTINGS, None, NOW)
    db.session.commit()
    return account


def refusal_of(somebody: Person) -> Refusal:
    with pytest.raises(SignOnRefused) as refused:
        admit(somebody, SETTINGS, None, NOW)
    db.session.rollback()
    return refused.value.refusal


def verify(account_id: int) -> Account:
    account = db.session.get_one(Account, account_id)
    account.email_verified_at = NOW
    db.session.commit()
    return account


def roles_of(account: Account) -> dict[str, tuple[str, str]]:
    members = db.session.scalars(select(Member).where(Member.account_id == account.id))
    return {member.workspace.slug: (member.role.value, member.source.value) for member in members}


def events() -> list[tuple[int | None, str, str, str, list[str]]]:
    rows = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    return [(row.workspace_id, row.account_name, row.action, row.subject, row.changed) for row in rows]


# Who gets an account


@on_both_databases
def test_whoever_has_a_role_by_a_group_gets_an_account(context: None, seeded: SeededIds) -> None:
    account = let_in(person("ops", "another group"))

    assert (account.email, account.name, account.password_hash) == ("ada@example.com", "Ada Harbor", None)
    assert (account.email_verified_at, account.is_instance_admin) == (None, False)
    assert roles_of(account) == {"harbor": ("admin", "groups")}
    assert list_linked([account.id, seeded.admin]) == {account.id}


@pytest.mark.parametrize("groups", [(), ("another group",), ("OPS",), ("ops ",)])
def test_whoever_has_neither_a_role_nor_an_invitation_gets_none(
    context: None, seeded: SeededIds, groups: tuple[str, ...]
) -> None:
    before = len(db.session.scalars(select(Account)).all())

    assert refusal_of(person(*groups)) is Refusal.NO_ACCESS
    assert len(db.session.scalars(select(Account)).all()) == before


def test_a_group_of_a_workspace_that_does_not_exist_is_no_reason_for_an_account(
    context: None, seeded: SeededIds
) -> None:
    db.session.execute(db.text("UPDATE workspaces SET slug = 'gone' WHERE slug = 'harbor'"))
    db.session.commit()

    assert refusal_of(person("ops")) is Refusal.NO_ACCESS


def test_an_invitation_is_a_reason_for_an_account(
    context: None, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | None, str | None, datetime]] = []

    def join(*facts: Any) -> bool:
        asked.append(facts)
        return True

    monkeypatch.setattr("webapp.single_sign_on.admission.may_join_without_role", join)
    verified = admit(person(), SETTINGS, "/invitation/x", NOW)
    admit(person(subject="s-2", email="eve@example.com", is_email_verified=False), SETTINGS, "/invitation/x", NOW)

    assert roles_of(verified) == {}
    assert asked == [("ada@example.com", "/invitation/x", NOW), (None, "/invitation/x", NOW)]


def test_a_second_sign_in_finds_the_account_by_its_subject_alone(context: None, seeded: SeededIds) -> None:
    first = let_in(person("ops"))
    second = let_in(person("ops", email=ADMIN, name="Another name"))

    assert (second.id, second.email, second.name) == (first.id, "ada@example.com", "Ada Harbor")


def test_a_subject_of_another_provider_is_somebody_else(context: None, seeded: SeededIds) -> None:
    let_in(person("ops"))
    other = Person("https://other.example.com", "s-1", "Eve", "eve@example.com", True, frozenset({"ops"}))

    assert let_in(other).email == "eve@example.com"


def test_without_an_address_there_is_no_account(context: None, seeded: SeededIds) -> None:
    assert refusal_of(person("ops", email=None, is_email_verified=False)) is Refusal.NO_EMAIL


def test_a_name_that_nobody_sees_is_replaced_by_the_address(context: None, seeded: SeededIds) -> None:
    assert let_in(person("ops", name=None)).name == "ada@example.com"


def test_a_disabled_account_stays_disabled(context: None, seeded: SeededIds) -> None:
    account = let_in(person("ops"))
    set_active(account, False, NOW, COMMAND_LINE)
    db.session.commit()

    assert refusal_of(person("helpdesk")) is Refusal.ACCOUNT_DISABLED
    assert roles_of(account) == {"harbor": ("admin", "groups")}


@pytest.mark.slow
@on_both_databases
def test_two_sign_ins_at_once_make_one_account(app: Flask, seeded: SeededIds) -> None:
    barrier, found = Barrier(2), []

    def enter() -> None:
        with app.app_context():
            barrier.wait(60)
            found.append(let_in(person("ops")).id)

    threads = [Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 2
    assert found[0] == found[1]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)  # SQLite lets one of them wait
def test_a_sign_in_that_another_one_overtakes_finds_its_account(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []

    def look_too_early(*names: str) -> Account | None:
        account = find_by_email(*names)
        if not found:
            found.append(0)
            with app.app_context():
                found[0] = let_in(person("ops")).id
        return account

    monkeypatch.setattr(accounts, "find_by_email", look_too_early)
    with app.app_context():
        assert let_in(person("ops")).id == found[0]


# Who is linked to an account that is there


@on_both_databases
def test_an_account_whose_address_both_have_confirmed_is_linked(context: None, seeded: SeededIds) -> None:
    verify(seeded.admin).password_hash = CHEAP_HASH
    account = let_in(person(email=ADMIN))

    assert (account.id, account.password_hash) == (seeded.admin, None)
    assert roles_of(account) == {"harbor": ("admin", "person")}


def test_linking_ends_every_session_and_the_password(app: Flask, seeded: SeededIds) -> None:
    before = Visitor.signed_in(app, seeded.admin)
    with app.app_context():
        verify(seeded.admin).password_hash = CHEAP_HASH
        let_in(person(email=ADMIN))
    browser = Visitor.anonymous(app)

    assert before.get("/workspaces").status_code == 302
    assert browser.post("/sign-in", {"email": ADMIN, "password": PASSWORD}).status_code == 400


def test_linking_ends_the_links_that_would_set_a_password(context: None, seeded: SeededIds) -> None:
    token = add_link(verify(seeded.admin), AccountLinkKind.RESET, NOW, is_mailed=True)
    let_in(person(email=ADMIN))

    assert find_link(token, AccountLinkKind.RESET, NOW) is None


def test_linking_is_recorded_with_before_and_after(context: None, seeded: SeededIds) -> None:
    verify(seeded.admin).password_hash = CHEAP_HASH
    let_in(person(email=ADMIN))

    by, subject = "Single sign-on", f"Admin (account {seeded.admin})"
    linked = (by, "linked the account to single sign-on", subject, ["sign-in: password → single sign-on"])
    assert events()[-2:] == [(seeded.harbor, *linked), (None, *linked)]


def test_an_address_that_we_have_not_confirmed_is_not_linked(context: None, seeded: SeededIds) -> None:
    assert refusal_of(person("ops", email=ADMIN)) is Refusal.EMAIL_NOT_CONFIRMED_HERE
    assert list_linked([seeded.admin]) == frozenset()


@pytest.mark.parametrize("groups", [("ops",), ()])
def test_an_address_that_the_provider_has_not_confirmed_is_not_linked(
    context: None, seeded: SeededIds, groups: tuple[str, ...]
) -> None:
    verify(seeded.admin)

    assert refusal_of(person(*groups, email=ADMIN, is_email_verified=False)) is Refusal.EMAIL_NOT_CONFIRMED_THERE
    assert list_linked([seeded.admin]) == frozenset()


def test_an_address_that_is_not_confirmed_does_not_tell_whether_it_has_an_account(
    context: None, seeded: SeededIds
) -> None:
    known, unknown = (person(email=email, is_email_verified=False) for email in (ADMIN, "nobody@example.com"))

    assert refusal_of(known) is refusal_of(unknown)


def test_an_address_that_the_provider_gave_to_somebody_else_opens_nothing(context: None, seeded: SeededIds) -> None:
    verify(seeded.admin)
    let_in(person(email=ADMIN))

    assert refusal_of(person("ops", email=ADMIN, subject="s-2")) is Refusal.OTHER_PERSON


def test_an_account_that_the_administrator_unlinked_is_linked_to_the_next_person(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        verify(seeded.admin)
        let_in(person(email=ADMIN))
    before = Visitor.signed_in(app, seeded.admin)
    runner = app.test_cli_runner()
    results = [runner.invoke(args=["unlink-account", ADMIN]) for _ in range(2)]

    assert [result.exit_code for result in results] == [0, 1]
    assert "is no longer linked to the provider, and was signed out everywhere" in results[0].output
    assert before.get("/workspaces").status_code == 302
    with app.app_context():
        assert events()[-1][1:] == (
            "Command line",
            "ended the account's single sign-on",
            f"Admin (account {seeded.admin})",
            ["sign-in: single sign-on → none"],
        )
        assert let_in(person(email=ADMIN, subject="s-2")).id == seeded.admin


def test_an_instance_admin_unlinks_an_account_on_its_page(
    app: Flask, browser: Visitor, seeded: SeededIds, sign_in: SignIn, provider: TestProvider
) -> None:
    provider.users["ada"]["groups"] = ["ops"]
    sign_in()
    with app.app_context():
        db.session.get_one(Account, seeded.viewer).is_instance_admin = True
        linked = db.session.scalars(select(ExternalIdentity.account_id)).one()
        db.session.commit()
    admin = Visitor.signed_in(app, seeded.viewer)
    page = f"/instance/accounts/{linked}"
    assert f'action="{page}/unlink"' in admin.get(page).text
    responses = [admin.post(f"{page}/unlink") for _ in range(2)]

    assert [response.status_code for response in responses] == [303, 409]
    assert "is not linked to anybody" in responses[1].text
    assert browser.get("/workspaces").status_code == 302
    assert f'action="{page}/unlink"' not in admin.get(page).text
    with app.app_context():
        by = {event[1] for event in events() if event[2] == "ended the account's single sign-on"}
    assert by == {"Viewer"}


def test_an_instance_admin_does_not_end_the_own_link(
    app: Flask, browser: Visitor, seeded: SeededIds, sign_in: SignIn, provider: TestProvider
) -> None:
    provider.users["ada"]["groups"] = ["ops"]
    sign_in()
    with app.app_context():
        identity = db.session.scalars(select(ExternalIdentity)).one()
        identity.account.is_instance_admin = True
        page = f"/instance/accounts/{identity.account_id}"
        db.session.commit()
    browser.get("/workspaces")
    response = browser.post(f"{page}/unlink")

    assert (response.status_code, "Ask another instance admin" in response.text) == (409, True)
    assert browser.get("/workspaces").status_code == 200


def test_another_provider_may_link_the_account_anew(context: None, seeded: SeededIds) -> None:
    verify(seeded.admin)
    let_in(person(email=ADMIN))
    other = Person("https://other.example.com", "s-9", "Admin", ADMIN, True, frozenset())

    assert let_in(other).id == seeded.admin


def test_a_disabled_account_is_not_linked(context: None, seeded: SeededIds) -> None:
    set_active(verify(seeded.stranger), False, NOW, COMMAND_LINE)
    db.session.commit()

    assert refusal_of(person("ops", email="stranger@example.com")) is Refusal.ACCOUNT_DISABLED
    assert db.session.scalars(select(ExternalIdentity)).all() == []


# What groups give and take


def test_the_highest_role_of_all_groups_counts(context: None, seeded: SeededIds) -> None:
    assert roles_of(let_in(person("helpdesk", "ops", "desk"))) == {
        "harbor": ("admin", "groups"),
        "clinic": ("viewer", "groups"),
    }


@on_both_databases
def test_each_sign_in_makes_the_roles_those_of_the_groups(context: None, seeded: SeededIds) -> None:
    account = let_in(person("ops"))
    steps = [roles_of(let_in(person(*groups))) for groups in (("helpdesk",), ("desk",), (), ("ops", "desk"))]

    assert account.is_active
    assert steps == [
        {"harbor": ("support", "groups")},
        {"clinic": ("viewer", "groups")},
        {},
        {"harbor": ("admin", "groups"), "clinic": ("viewer", "groups")},
    ]


def test_groups_take_over_a_role_that_a_person_gave(context: None, seeded: SeededIds) -> None:
    verify(seeded.viewer)

    assert roles_of(let_in(person("ops", email="viewer@example.com"))) == {"harbor": ("admin", "groups")}


def test_a_role_that_a_person_gave_stays_where_no_group_has_one(context: None, seeded: SeededIds) -> None:
    verify(seeded.viewer)

    assert roles_of(let_in(person("desk", email="viewer@example.com"))) == {
        "harbor": ("viewer", "person"),
        "clinic": ("viewer", "groups"),
    }


def _list_workspaces_without_admin() -> list[str]:
    return [row.workspace.slug for row in list_workspaces("", WorkspaceFilter.WITHOUT_ADMIN, 1).rows]


def test_groups_may_lower_the_last_admin_and_the_instance_can_tell(context: None, seeded: SeededIds) -> None:
    verify(seeded.admin)
    assert _list_workspaces_without_admin() == []
    let_in(person("helpdesk", email=ADMIN))

    assert _list_workspaces_without_admin() == ["harbor"]


def test_the_instance_page_says_that_groups_have_lowered_the_last_admin(
    app: Flask, browser: Visitor, seeded: SeededIds, sign_in: SignIn, provider: TestProvider
) -> None:
    with app.app_context():
        verify(seeded.admin)
        db.session.get_one(Account, seeded.stranger).is_instance_admin = True
        db.session.commit()
    admin = Visitor.signed_in(app, seeded.stranger)
    sentence = "1 workspace has no admin who can sign in."
    assert sentence not in admin.get("/instance").text
    provider.users["ada"] |= {"email": ADMIN, "groups": ["helpdesk"]}

    assert sign_in().location == "/"
    assert browser.get("/w/harbor/members").status_code == 403
    assert sentence in admin.get("/instance").text
    listed = admin.get("/instance/workspaces?show=without-admin").text
    assert re.findall(r'href="/instance/workspaces/(\w+)"', listed) == ["harbor"]


def test_somebody_whom_every_group_has_left_keeps_an_account_that_opens_nothing(
    app: Flask, browser: Visitor, seeded: SeededIds, sign_in: SignIn, provider: TestProvider
) -> None:
    provider.users["ada"]["groups"] = ["ops"]
    sign_in()
    assert browser.get("/w/harbor/destinations").status_code == 200
    provider.users["ada"]["groups"] = []
    again = Visitor.anonymous(app)
    response = again.get(provider.sign_in(again.get("/sign-in/provider").location))

    assert response.location == "/"
    assert [visitor.get("/w/harbor/destinations").status_code for visitor in (again, browser)] == [404, 404]


def test_who_supports_every_workspace_stays_support_without_a_group(context: None, seeded: SeededIds) -> None:
    account = let_in(person("ops"))
    grant_support_everywhere(account, NOW, COMMAND_LINE)

    assert roles_of(let_in(person("desk"))) == {
        "harbor": ("support", "everywhere"),
        "clinic": ("support", "everywhere"),
    }


def test_every_change_by_groups_is_recorded_with_before_and_after(context: None, seeded: SeededIds) -> None:
    let_in(person("ops"))
    let_in(person("helpdesk"))
    account = let_in(person())

    by, subject = "Single sign-on", f"Ada Harbor (account {account.id})"
    harbor = seeded.harbor
    assert [event for event in events() if event[1] == by] == [
        (None, by, "added the account", subject, []),
        (harbor, by, "added the member", subject, ["admin by groups"]),
        (harbor, by, "changed the role", subject, ["admin by groups → support by groups"]),
        (harbor, by, "removed the member", subject, ["support by groups"]),
    ]


def test_a_sign_in_that_changes_no_role_records_none(context: None, seeded: SeededIds) -> None:
    let_in(person("ops"))
    before = events()
    let_in(person("ops"))

    assert events() == before


def test_groups_whose_mapping_the_administrator_removed_give_nothing(context: None, seeded: SeededIds) -> None:
    account = let_in(person("ops"))
    admit(person("ops"), SingleSignOn(**(SETTINGS.__dict__ | {"group_roles": ()})), None, NOW)

    assert roles_of(account) == {}


def test_a_member_whom_a_person_removed_returns_with_the_next_sign_in(context: None, seeded: SeededIds) -> None:
    account = let_in(person("helpdesk"))
    harbor = db.session.get_one(Workspace, seeded.harbor)
    grant_role(harbor, account, Role.VIEWER, NOW, COMMAND_LINE, MemberSource.GROUPS)

    assert roles_of(let_in(person("helpdesk"))) == {"harbor": ("support", "groups")}


def test_a_password_that_an_administrator_sets_ends_the_link(context: None, seeded: SeededIds) -> None:
    account = verify(seeded.admin)
    let_in(person("ops", email=ADMIN))

    change_password(account, "plain ladder quantum meadow", NOW, COMMAND_LINE)
    db.session.commit()

    assert list_linked([account.id]) == frozenset()


@on_both_databases
@pytest.mark.parametrize(
    ("end", "refusal"),
    [
        (lambda account: set_active(account, False, NOW, COMMAND_LINE), Refusal.ACCOUNT_DISABLED),
        (lambda account: unlink_account(account, NOW, COMMAND_LINE), Refusal.EMAIL_NOT_CONFIRMED_THERE),
    ],
    ids=["disabled", "unlinked"],
)
def test_what_ends_an_account_while_somebody_signs_in_to_it_lets_them_not_in(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch, end: Callable[[Account], object], refusal: Refusal
) -> None:
    def end_first(account: Account) -> None:
        monkeypatch.undo()
        account_id = account.id
        db.session.rollback()  # as if it had only been read so far
        thread = Thread(target=end_in_another_request, args=(account_id,))
        thread.start()
        thread.join()
        lock_account(account)

    def end_in_another_request(account_id: int) -> None:
        with app.app_context():
            end(db.session.get_one(Account, account_id))
            db.session.commit()

    with app.app_context():
        verify(seeded.admin)
        let_in(person("ops", email=ADMIN))
        monkeypatch.setattr("webapp.single_sign_on.admission.lock_account", end_first)

        assert refusal_of(person("ops", email=ADMIN, is_email_verified=False)) is refusal


# In a browser


def test_somebody_without_access_reads_what_to_do(
    browser: Visitor, sign_in: SignIn, provider: TestProvider, app: Flask
) -> None:
    response = sign_in()

    assert response.status_code == 403
    assert "You do not have access to Alertcheck yet. Ask an admin of your workspace to invite you." in response.text
    assert "Sign in with <bdi>Harbor account</bdi>" in response.text


def test_somebody_whose_address_is_not_confirmed_reads_how_to_confirm_it(
    sign_in: SignIn, provider: TestProvider
) -> None:
    provider.users["ada"]["email"] = ADMIN
    response = sign_in("/w/harbor/history")

    assert response.status_code == 403
    assert "choose “Confirm this address”, and then sign in this way" in response.text
    assert 'action="/sign-in?next=/w/harbor/history"' in response.text


def test_a_linked_account_keeps_its_workspaces(
    app: Flask, browser: Visitor, seeded: SeededIds, sign_in: SignIn, provider: TestProvider
) -> None:
    with app.app_context():
        db.session.get_one(Account, seeded.support).email_verified_at = datetime.now(UTC)
        db.session.commit()
    provider.users["ada"]["email"] = "Support@Example.com"

    assert sign_in().location == "/"
    assert browser.get("/w/harbor/destinations").status_code == 200
