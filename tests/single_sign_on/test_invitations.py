"""Invitations and the sign-in at a provider: who may have an account because of one, and what its page offers."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from tests.factories import SeededIds, add_invitation, get_account, get_workspace, on_both_databases
from tests.single_sign_on.conftest import SignIn
from tests.single_sign_on.provider import TestProvider
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth.access import find_role
from webapp.auth.accounts import add_account, find_by_email
from webapp.auth.one_time_tokens import TOKEN_LENGTH
from webapp.extensions import db
from webapp.models import Account, Invitation, Role, Workspace
from webapp.workspaces import membership_changes

PAGE = "/invitation"
TOKEN = "i" * TOKEN_LENGTH
ADA = "ada@example.com"
BUTTON = "Sign in with <bdi>Harbor account</bdi>"
ENTERED = {"invitation": TOKEN, "email": "jo@example.com", "name": "Jo", "password": "four unrelated words suffice"}

Invite = Callable[..., None]


@pytest.fixture
def invite(app: Flask, seeded: SeededIds) -> Invite:
    """Add an invitation to the harbor workspace. email: the only address that may accept, if any."""

    def add(email: str | None = None) -> None:
        with app.app_context():
            add_invitation(seeded, TOKEN, datetime.now(UTC), email)

    return add


def open_link(browser: Visitor) -> TestResponse:
    browser.get(f"{PAGE}/open/{TOKEN}")
    return browser.get(PAGE)


def accounts(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Account)) or 0


def facts_of(app: Flask, seeded: SeededIds, email: str = ADA) -> tuple[Role | None, bool] | None:
    """Return the role in the harbor workspace, and whether the address is verified; None without an account."""
    with app.app_context():
        account = find_by_email(email)
        return account and (find_role(get_workspace(seeded), account), account.email_verified_at is not None)


@on_both_databases
@pytest.mark.parametrize("email", [None, ADA])
def test_an_invitation_survives_the_way_to_the_provider_and_is_accepted_on_its_page(
    app: Flask, seeded: SeededIds, browser: Visitor, sign_in: SignIn, invite: Invite, email: str | None
) -> None:
    invite(email)
    link = re.search(r'href="/sign-in/provider\?next=([^"]+)"', open_link(browser).text)
    assert link is not None
    back = sign_in(link[1])
    before = facts_of(app, seeded)
    page = browser.get(back.location)
    joined = browser.post(f"{PAGE}/join", {"invitation": TOKEN})

    assert (back.location, before, "Join as support" in page.text) == (PAGE, (None, False), True)
    assert joined.location == "/w/harbor/destinations"
    assert facts_of(app, seeded) == (Role.SUPPORT, False)


def test_an_invited_address_gets_an_account_without_the_link(
    app: Flask, seeded: SeededIds, sign_in: SignIn, invite: Invite
) -> None:
    invite(ADA)

    assert (sign_in().location, facts_of(app, seeded)) == ("/", (None, False))


@pytest.mark.parametrize("next_path", ["", PAGE])
def test_another_persons_invitation_admits_nobody(
    app: Flask, browser: Visitor, sign_in: SignIn, invite: Invite, next_path: str
) -> None:
    invite("jo@example.com")
    before = accounts(app)
    open_link(browser)
    response = sign_in(next_path)

    assert (response.status_code, accounts(app)) == (403, before)
    assert ("The invitation is for another address" in response.text) == (next_path == PAGE)
    assert "jo@example.com" not in response.text


@pytest.mark.parametrize("next_path", ["", PAGE])
def test_an_address_that_the_provider_does_not_call_verified_is_not_the_invited_one(
    app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider, invite: Invite, next_path: str
) -> None:
    provider.users["ada"]["email_verified"] = False
    invite(ADA)
    before = accounts(app)
    open_link(browser)
    response = sign_in(next_path)

    assert (response.status_code, accounts(app)) == (403, before)
    assert "does not say that your email address is yours" in response.text


def test_an_invitation_without_an_address_admits_whoever_has_its_link(
    app: Flask, seeded: SeededIds, browser: Visitor, sign_in: SignIn, provider: TestProvider, invite: Invite
) -> None:
    provider.users["ada"]["email_verified"] = False
    invite()
    open_link(browser)

    assert sign_in(PAGE).location == PAGE
    assert facts_of(app, seeded) == (None, False)


def test_an_unverified_address_of_somebody_elses_account_opens_and_adds_nothing(
    app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider, invite: Invite
) -> None:
    provider.users["ada"] |= {"email": "admin@example.com", "email_verified": False}
    invite()
    before = accounts(app)
    open_link(browser)

    assert (sign_in(PAGE).status_code, accounts(app)) == (403, before)
    assert browser.get("/workspaces").status_code == 302


@pytest.mark.parametrize("next_path", ["", "/w/harbor/history", "/invitations", f"{PAGE}/x", f"/x?next={PAGE}"])
def test_an_invitation_that_nobody_goes_on_to_admits_nobody(
    app: Flask, browser: Visitor, sign_in: SignIn, invite: Invite, next_path: str
) -> None:
    invite()
    before = accounts(app)
    open_link(browser)

    assert (sign_in(next_path).status_code, accounts(app)) == (403, before)


def test_the_page_alone_without_a_link_admits_nobody(
    app: Flask, browser: Visitor, sign_in: SignIn, invite: Invite
) -> None:
    invite()
    before = accounts(app)
    browser.client.set_cookie("invitation", "u" * TOKEN_LENGTH)

    assert (sign_in(PAGE).status_code, accounts(app)) == (403, before)


def _revoke(app: Flask, seeded: SeededIds) -> None:
    db.session.delete(db.session.scalars(select(Invitation)).one())


def _expire(app: Flask, seeded: SeededIds) -> None:
    db.session.execute(update(Invitation).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))


def _use(app: Flask, seeded: SeededIds) -> None:
    stranger = Visitor.signed_in(app, seeded.stranger)
    assert stranger.post(f"{PAGE}/join", {"invitation": TOKEN}).status_code in (303, 409)
    db.session.execute(Invitation.__table__.delete())  # type: ignore[attr-defined]


def _lower_inviter(app: Flask, seeded: SeededIds) -> None:
    second = add_account("second@example.com", "Second", None, datetime.now(UTC))
    membership_changes.grant_role(get_workspace(seeded), second, Role.ADMIN, datetime.now(UTC), COMMAND_LINE)
    membership_changes.grant_role(
        get_workspace(seeded), get_account(seeded), Role.VIEWER, datetime.now(UTC), COMMAND_LINE
    )


def _disable_inviter(app: Flask, seeded: SeededIds) -> None:
    get_account(seeded).is_active = False


def _delete_workspace(app: Flask, seeded: SeededIds) -> None:
    db.session.execute(update(Workspace).where(Workspace.id == seeded.harbor).values(deleted_at=datetime.now(UTC)))


@pytest.mark.parametrize("email", [None, ADA])
@pytest.mark.parametrize("end", [_revoke, _expire, _use, _lower_inviter, _disable_inviter, _delete_workspace])
def test_an_invitation_that_has_ended_leaves_no_account_behind(
    app: Flask,
    seeded: SeededIds,
    browser: Visitor,
    sign_in: SignIn,
    invite: Invite,
    email: str | None,
    end: Callable[[Flask, SeededIds], None],
) -> None:
    invite(email)
    open_link(browser)
    with app.app_context():
        end(app, seeded)
        db.session.commit()
    response = sign_in(PAGE)

    assert response.status_code == 403
    assert facts_of(app, seeded) is None


def test_beside_passwords_the_page_offers_both(browser: Visitor, invite: Invite) -> None:
    invite()
    page = open_link(browser).text

    assert [text in page for text in (BUTTON, 'name="password"', "Sign in to accept")] == [True, True, True]


class TestOnly:
    """The provider's accounts are the only way to sign in."""

    @pytest.fixture
    def oidc_settings(self) -> dict[str, str]:
        return {"OIDC_ONLY": "1"}

    def test_the_page_offers_no_password(self, browser: Visitor, invite: Invite) -> None:
        invite()
        page = open_link(browser).text

        assert [text in page for text in (BUTTON, "assword", "Sign in to accept")] == [True, False, False]

    def test_no_account_with_a_password_is_made(self, app: Flask, browser: Visitor, invite: Invite) -> None:
        invite()
        open_link(browser)
        before = accounts(app)
        responses = [browser.post(PAGE, form) for form in (ENTERED, {"invitation": TOKEN})]

        assert [response.status_code for response in responses] == [403, 403]
        assert "Passwords are turned off" in responses[0].text
        assert accounts(app) == before

    def test_somebody_joins_with_an_account_of_the_provider(
        self, app: Flask, seeded: SeededIds, browser: Visitor, sign_in: SignIn, invite: Invite
    ) -> None:
        invite()
        open_link(browser)
        sign_in(PAGE)
        browser.get(PAGE)
        browser.post(f"{PAGE}/join", {"invitation": TOKEN})

        assert facts_of(app, seeded) == (Role.SUPPORT, False)
