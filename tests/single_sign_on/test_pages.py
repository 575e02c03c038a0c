"""The pages around the single sign-on: its button, what is left without passwords, and the sign-out at both ends."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.factories import OWNER, PASSWORD, SeededIds, add_owner, on_both_databases
from tests.recorded_rows import add_once
from tests.single_sign_on.conftest import SignIn
from tests.single_sign_on.provider import CALLBACK, CLIENT_ID, TestProvider
from tests.visitor import Visitor
from webapp.account_mail.requesting import request_mail
from webapp.audit import COMMAND_LINE
from webapp.auth.account_links import add_link
from webapp.auth.password_mails import find_reset_recipient
from webapp.auth.password_reset import make_reset_link
from webapp.auth.password_sign_in import PasswordsOff
from webapp.extensions import db
from webapp.models import Account, AccountLink, AccountLinkKind, AccountMailKind, database_clock

BUTTON = "Sign in with <bdi>Harbor account</bdi>"


@pytest.fixture(autouse=True)
def in_a_group(provider: TestProvider) -> None:
    provider.users["ada"]["groups"] = ["ops"]


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An admin of the harbor workspace who signs in by password."""
    return add_once(app, lambda: add_owner(seeded), "owner")


def _sign_out(visitor: Visitor) -> TestResponse:
    visitor.get("/workspaces")
    return visitor.post("/sign-out")


# The button


def test_the_button_stands_above_the_password_form_and_leads_on_to_the_requested_page(
    browser: Visitor, provider: TestProvider
) -> None:
    page = browser.get("/sign-in?next=/w/harbor/history").text

    assert page.index(BUTTON) < page.index('name="password"')
    assert 'href="/sign-in/provider?next=/w/harbor/history"' in page
    assert provider.requested == []


def test_the_password_still_signs_in(browser: Visitor, owner: int) -> None:
    assert browser.post("/sign-in", {"email": OWNER, "password": PASSWORD}).location == "/"


def test_only_a_get_begins_or_ends_a_sign_in(browser: Visitor) -> None:
    assert [browser.post(path).status_code for path in ("/sign-in/provider", CALLBACK)] == [405, 405]


def test_too_many_sign_ins_from_one_client_are_refused(browser: Visitor, provider: TestProvider) -> None:
    paths = ["/sign-in/provider", CALLBACK]
    responses = {path: [browser.get(path).status_code for _ in range(31)] for path in paths}

    assert {path: (statuses[29], statuses[30]) for path, statuses in responses.items()} == {
        "/sign-in/provider": (302, 429),
        CALLBACK: (400, 429),
    }


class TestWithout:
    """No provider is set up."""

    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return {name: text for name, text in environment.items() if not name.startswith("OIDC_")}

    def test_nothing_of_it_is_there(self, browser: Visitor) -> None:
        assert "Sign in with" not in browser.get("/sign-in").text
        assert [browser.get(path).status_code for path in ("/sign-in/provider", CALLBACK)] == [404, 404]


# Without passwords


class TestOnly:
    """The provider's accounts are the only way to sign in."""

    @pytest.fixture
    def oidc_settings(self) -> dict[str, str]:
        mail = {"ALERTCHECK_MAIL_URL": "smtp://127.0.0.1:1", "ALERTCHECK_MAIL_FROM": "alertcheck@example.com"}
        return {"OIDC_ONLY": "1"} | mail

    def test_the_sign_in_page_has_the_button_alone(self, browser: Visitor) -> None:
        page = browser.get("/sign-in").text

        assert BUTTON in page
        assert "password" not in page.lower()

    def test_the_provider_signs_in(self, browser: Visitor, sign_in: SignIn) -> None:
        assert sign_in().location == "/"

    def test_a_right_password_does_not(self, browser: Visitor, owner: int) -> None:
        response = browser.post("/sign-in", {"email": OWNER, "password": PASSWORD})

        assert response.status_code == 403
        assert "Passwords are turned off" in response.text
        assert browser.get("/workspaces").status_code == 302

    def test_no_password_can_be_changed(self, app: Flask, owner: int) -> None:
        visitor = Visitor.signed_in(app, owner)
        form = {"current": PASSWORD, "new": "another horse battery"}

        pages = [visitor.get(path).text for path in ("/workspaces", "/account")]
        assert [word for page in pages for word in ("/password", "password") if word in page.lower()] == []
        assert "Sessions" in pages[1]
        assert visitor.get("/password").status_code == 403
        assert visitor.post("/password", form).status_code == 403

    def test_no_link_for_a_new_one_can_be_requested(self, browser: Visitor) -> None:
        assert "Forgot" not in browser.get("/sign-in").text
        assert browser.get("/forgot-password").status_code == 404
        assert browser.get("/forgot-password/requested").status_code == 404
        assert browser.post("/forgot-password", {"email": OWNER}).status_code == 404

    @on_both_databases
    @pytest.mark.parametrize("is_mailed", [True, False])
    def test_a_link_from_before_sets_none(self, app: Flask, browser: Visitor, owner: int, is_mailed: bool) -> None:
        with app.app_context():
            account = db.session.get_one(Account, owner)
            token = add_link(account, AccountLinkKind.RESET, database_clock.now(), is_mailed=is_mailed)
            before = account.password_hash
            db.session.commit()
        opened = browser.get(f"/reset-password/{token}")
        with browser.client.session_transaction() as session:
            session["reset_token"] = token  # it was opened before passwords were turned off
        responses = [
            opened,
            browser.get("/reset-password"),
            browser.post("/reset-password", {"new": "another horse battery", "again": "another horse battery"}),
        ]

        assert [response.status_code for response in responses] == [404] * 3
        with app.app_context():
            assert db.session.get_one(Account, owner).password_hash == before

    def test_a_mail_that_was_requested_before_is_not_sent(self, app: Flask, owner: int) -> None:
        with app.app_context():
            mail = request_mail(AccountMailKind.RESET, database_clock.now(), address=OWNER)
            assert find_reset_recipient(mail) is None

    def test_no_instance_admin_makes_a_link(self, app: Flask, owner: int, seeded: SeededIds) -> None:
        with app.app_context():
            db.session.get_one(Account, seeded.admin).is_instance_admin = True
            db.session.commit()
        visitor = Visitor.signed_in(app, seeded.admin)
        page = visitor.get(f"/instance/accounts/{owner}").text
        response = visitor.post(f"/instance/accounts/{owner}/reset-link")

        assert "new password" not in page
        assert "End all sessions" in page
        assert (response.status_code, "Passwords are turned off (OIDC_ONLY)" in response.text) == (409, True)
        with app.app_context():
            assert db.session.scalars(select(AccountLink)).all() == []
            with pytest.raises(PasswordsOff):
                make_reset_link(db.session.get_one(Account, owner), database_clock.now(), COMMAND_LINE)

    def test_no_command_sets_one(self, app: Flask, owner: int) -> None:
        commands = (["set-password", OWNER], ["add-member", "harbor", "new@example.com", "admin"])
        typed = "another horse battery\n" * 2
        results = [app.test_cli_runner().invoke(args=command, input=typed) for command in commands]

        assert [result.exit_code for result in results] == [1, 1]
        assert ["OIDC_ONLY turns passwords off" in result.output for result in results] == [True, True]

    def test_a_provider_that_is_down_is_explained_without_passwords(
        self, browser: Visitor, provider: TestProvider
    ) -> None:
        provider.answers["/.well-known/openid-configuration"] = lambda handler: handler.send_json({}, 500)
        response = browser.get("/sign-in/provider")

        assert response.status_code == 503
        assert "password" not in response.text.lower()


# Signing out


def test_a_sign_out_leads_on_to_the_provider(browser: Visitor, sign_in: SignIn, provider: TestProvider) -> None:
    sign_in()
    page = _sign_out(browser).text
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found is not None
    url = urlsplit(found[1].replace("&amp;", "&"))

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{provider.issuer}/logout"
    assert parse_qs(url.query) == {"client_id": [CLIENT_ID], "post_logout_redirect_uri": ["http://localhost/sign-in"]}
    assert f'href="{found[1]}"' in page
    assert browser.get("/workspaces").status_code == 302


def test_without_a_page_for_it_the_sign_out_says_what_is_left(
    browser: Visitor, sign_in: SignIn, provider: TestProvider
) -> None:
    provider.changed_metadata = {"end_session_endpoint": None}
    sign_in()
    response = _sign_out(browser)

    assert response.location == "/sign-in"
    assert "You may still be signed in with Harbor account: close your browser too." in browser.get("/sign-in").text


def test_who_signed_in_by_password_is_not_sent_to_the_provider(
    browser: Visitor, owner: int, provider: TestProvider
) -> None:
    browser.post("/sign-in", {"email": OWNER, "password": PASSWORD})

    assert _sign_out(browser).location == "/sign-in"
    assert "You are signed out." in browser.get("/sign-in").text
    assert provider.requested == []


def test_a_sign_out_does_not_depend_on_the_provider(
    app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in()
    monkeypatch.setattr("webapp.single_sign_on.provider.MAX_AGE", 0.0)
    provider.answers["/.well-known/openid-configuration"] = lambda handler: handler.send_json({}, 500)

    assert _sign_out(browser).location == "/sign-in"
    assert browser.get("/workspaces").status_code == 302
