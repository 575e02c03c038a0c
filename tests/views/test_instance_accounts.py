"""The instance admin's pages of accounts: a list that stays fast, and what each button does and refuses."""

import re

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from tests.factories import NOW, SeededIds, add_owner, on_both_databases
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp.database.numbered_pages import PAGE_SIZE
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, MemberSource

LIST = "/instance/accounts"


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    """The instance admin, who is the viewer of the harbor."""
    _make_admin(app, seeded.viewer)
    return Visitor.signed_in(app, seeded.viewer)


def _make_admin(app: Flask, account_id: int) -> None:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == account_id).values(is_instance_admin=True))
        db.session.commit()


def _emails(page: str) -> list[str]:
    return re.findall(r'<a href="/instance/accounts/\d+"><bdi>([^<]+)</bdi>', page)


def _read(app: Flask, account_id: int) -> Account:
    with app.app_context():
        account = db.session.get_one(Account, account_id)
        db.session.refresh(account)
        return account


def _events(app: Flask, subject: str) -> list[tuple[int | None, str, str]]:
    with app.app_context():
        events = select(AuditEvent).where(AuditEvent.subject == subject).order_by(AuditEvent.id)
        return [(row.workspace_id, row.account_name, row.action) for row in db.session.scalars(events)]


# The list


def test_the_list_shows_every_account_by_address(admin: Visitor) -> None:
    emails = [f"{name}@example.com" for name in ("admin", "stranger", "support", "viewer")]

    assert _emails(admin.get(LIST).text) == emails


@on_both_databases
@pytest.mark.parametrize(("text", "found"), [("STRANG", "stranger@example.com"), ("Viewer", "viewer@example.com")])
def test_the_list_finds_a_part_of_an_address_or_a_name(admin: Visitor, text: str, found: str) -> None:
    assert _emails(admin.get(LIST, query_string={"q": text}).text) == [found]


@on_both_databases
@pytest.mark.parametrize("text", ["ÉMILE", "émile", "e\N{COMBINING ACUTE ACCENT}mile", " Émile\u200b"])
def test_the_list_finds_a_name_in_any_alphabet_however_it_is_typed(
    app: Flask, seeded: SeededIds, admin: Visitor, text: str
) -> None:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.stranger).values(name="Émile"))
        db.session.commit()

    assert _emails(admin.get(LIST, query_string={"q": text}).text) == ["stranger@example.com"]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("disabled", ["support@example.com"]),
        ("instance-admins", ["viewer@example.com"]),
        ("support-everywhere", ["stranger@example.com"]),
    ],
)
def test_the_list_can_be_filtered(seeded: SeededIds, admin: Visitor, which: str, found: list[str]) -> None:
    admin.post(f"{LIST}/{seeded.support}/disable")
    admin.post(f"{LIST}/{seeded.stranger}/support-everywhere", {"value": "on"})

    assert _emails(admin.get(f"{LIST}?show={which}").text) == found


def test_the_list_says_how_an_account_signs_in(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        add_owner(seeded)

    page = admin.get(f"{LIST}?q=owner").text
    assert ">password</td>" in page
    assert ">nothing yet</td>" not in page


def test_a_page_executes_as_many_queries_for_5000_accounts(app: Flask, admin: Visitor) -> None:
    admin.get(LIST)
    with collecting_statements(app) as few:
        admin.get(LIST)
    with app.app_context():
        accounts = [
            {"email": f"person-{number:04}@example.com", "name": "A person", "created_at": NOW, "is_active": True}
            for number in range(5000)
        ]
        db.session.execute(insert(Account), accounts)
        db.session.commit()
    with collecting_statements(app) as many:
        page = admin.get(LIST).text

    assert len(_emails(page)) == PAGE_SIZE
    assert "5004 accounts" in page
    assert len(many) == len(few)


# One account


def test_a_disabled_account_is_signed_out_and_cannot_return(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    other = Visitor.signed_in(app, seeded.support)
    assert admin.post(f"{LIST}/{seeded.support}/disable").status_code == 303

    assert other.get("/w/harbor/destinations").status_code == 302
    assert not _read(app, seeded.support).is_active


def test_ones_own_page_does_not_offer_to_disable_the_account(seeded: SeededIds, admin: Visitor) -> None:
    own, other = (admin.get(f"{LIST}/{account}").text for account in (seeded.viewer, seeded.support))

    assert ("Disable it" in own, "Another instance admin can." in own) == (False, True)
    assert ("Disable it" in other, "Another instance admin can." in other) == (True, False)


def test_an_enabled_account_can_sign_in_again(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post(f"{LIST}/{seeded.support}/disable")
    admin.post(f"{LIST}/{seeded.support}/enable")

    assert _read(app, seeded.support).is_active


def test_enabling_an_active_account_ends_no_session(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    other = Visitor.signed_in(app, seeded.support)
    admin.post(f"{LIST}/{seeded.support}/enable")

    assert other.get("/w/harbor/destinations").status_code == 200


def test_ended_sessions_end_at_once_and_the_account_stays(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    other = Visitor.signed_in(app, seeded.support)
    admin.post(f"{LIST}/{seeded.support}/end-sessions")

    assert other.get("/w/harbor/destinations").status_code == 302
    assert _read(app, seeded.support).is_active


def test_nobody_disables_their_own_account(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    response = admin.post(f"{LIST}/{seeded.viewer}/disable")

    assert response.status_code == 409
    assert "You cannot disable your own account." in response.text
    assert _read(app, seeded.viewer).is_active


def test_an_admin_by_a_set_up_link_cannot_disable_the_last_instance_admin(app: Flask, seeded: SeededIds) -> None:
    _make_admin(app, seeded.viewer)
    visitor = Visitor.signed_in(app, seeded.admin)
    with app.app_context():
        db.session.connection().exec_driver_sql("UPDATE sign_ins SET is_instance_admin = true")
        db.session.commit()
    response = visitor.post(f"{LIST}/{seeded.viewer}/disable")

    assert response.status_code == 409
    assert "viewer@example.com is the only instance admin" in response.text
    assert _read(app, seeded.viewer).is_active


def test_a_workspace_that_loses_its_admin_is_named(seeded: SeededIds, admin: Visitor) -> None:
    admin.post(f"{LIST}/{seeded.stranger}/disable")

    assert "No admin who can sign in is left in:" in admin.get(LIST).text


def test_what_is_done_to_an_account_is_in_both_trails(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    Visitor.signed_in(app, seeded.support)
    for act in ("end-sessions", "disable", "enable"):
        admin.post(f"{LIST}/{seeded.support}/{act}")

    acts = ["ended all sessions", "disabled the account", "enabled the account"]
    events = _events(app, f"Support (account {seeded.support})")
    assert [event for event in events if event[0] is None] == [(None, "Viewer", act) for act in acts]
    assert [event for event in events if event[0]] == [(seeded.harbor, "Viewer", act) for act in acts]


def test_a_link_for_a_new_password_is_shown_once_and_works(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    response = admin.post(f"{LIST}/{seeded.support}/reset-link")
    found = re.search(r'<code id="link">http://localhost(/reset-password/[^<]+)</code>', response.text)
    assert found
    somebody = Visitor.anonymous(app)
    opened = somebody.get(found[1])
    somebody.get(opened.location)
    somebody.post("/reset-password", {"new": "a new horse battery", "link": found[1].rpartition("/")[2]})

    assert "no-store" in response.headers["Cache-Control"]
    assert found[1] not in admin.get(f"{LIST}/{seeded.support}").text
    assert _read(app, seeded.support).password_hash is not None
    assert Visitor.anonymous(app).get(found[1]).status_code == 404


def test_a_disabled_account_gets_no_link(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post(f"{LIST}/{seeded.support}/disable")

    assert admin.post(f"{LIST}/{seeded.support}/reset-link").status_code == 409
    assert "made a link for a new password" not in [
        action for _, _, action in _events(app, f"Support (account {seeded.support})")
    ]


def test_support_everywhere_opens_every_workspace_until_it_ends(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    other = Visitor.signed_in(app, seeded.support)
    before = other.get("/w/clinic/destinations").status_code
    admin.post(f"{LIST}/{seeded.support}/support-everywhere", {"value": "on"})
    meanwhile = other.get("/w/clinic/destinations").status_code
    edited = other.get("/w/clinic/destinations/new").status_code
    admin.post(f"{LIST}/{seeded.support}/support-everywhere", {"value": "off"})

    assert (before, meanwhile, edited) == (404, 200, 403)
    assert other.get("/w/clinic/destinations").status_code == 404
    assert other.get("/w/harbor/destinations").status_code == 200


def test_support_everywhere_needs_a_value(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    assert admin.post(f"{LIST}/{seeded.support}/support-everywhere", {"value": "maybe"}).status_code == 400
    with app.app_context():
        assert db.session.scalars(select(Member).where(Member.source == MemberSource.EVERYWHERE)).all() == []


def test_the_page_of_a_supporter_lists_the_memberships_of_its_own(seeded: SeededIds, admin: Visitor) -> None:
    admin.post(f"{LIST}/{seeded.support}/support-everywhere", {"value": "on"})
    page = admin.get(f"{LIST}/{seeded.support}").text

    assert "2 in total, as it supports every workspace." in page
    assert re.findall(r'href="/instance/workspaces/(\w+)"', page) == ["harbor"]
