"""The set-up link where nobody may sign in by password: the first account, and later the way back."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from tests.factories import PASSWORD, SeededIds, add_owner, on_both_databases
from tests.single_sign_on.provider import TestProvider
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth.set_up_links import replace_link
from webapp.extensions import db
from webapp.models import Account, AuditEvent, ExternalIdentity, SetUp, SignIn, database_clock

BUTTON = "Sign in with <bdi>Harbor account</bdi>"
BEGIN = "/sign-in/provider?next=/set-up"


@pytest.fixture
def oidc_settings() -> dict[str, str]:
    return {"OIDC_ONLY": "1"}


def _open_link(app: Flask, visitor: Visitor | None = None) -> Visitor:
    """Open a new link, by default in a browser where nobody is signed in."""
    visitor = visitor or Visitor.anonymous(app)
    result = app.test_cli_runner().invoke(args=["setup-link"])
    assert result.exit_code == 0, result.output
    path = result.output.strip().splitlines()[-1].removeprefix("http://localhost")
    assert visitor.get(path).location == "/set-up"
    return visitor


def _sign_on(visitor: Visitor, provider: TestProvider) -> str:
    """Sign in by the button of the set-up page; return where that leads."""
    assert f'href="{BEGIN}"' in visitor.get("/set-up").text
    response = visitor.get(provider.sign_in(visitor.get(BEGIN).location))
    assert response.status_code == 302, response.text
    return str(response.location)


def _accounts(app: Flask) -> list[tuple[str, bool, bool]]:
    """Return the address of each account, whether it is an instance admin, and whether it has a password."""
    with app.app_context():
        rows = db.session.scalars(select(Account).order_by(Account.id))
        return [(row.email, row.is_instance_admin, row.password_hash is not None) for row in rows]


def _uses(app: Flask) -> list[tuple[str, list[str]]]:
    with app.app_context():
        rows = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "used the set-up link"))
        return [(row.account_name, row.changed) for row in rows]


def _session_rights(app: Flask) -> list[bool]:
    with app.app_context():
        return list(db.session.scalars(select(SignIn.is_instance_admin)))


class TestFirst:
    """The installation never had an account."""

    @on_both_databases
    def test_whoever_signs_in_at_the_provider_sets_up_the_installation(
        self, app: Flask, provider: TestProvider
    ) -> None:
        visitor = _open_link(app)
        page = visitor.get("/set-up").text
        assert "password" not in page.lower()
        assert _sign_on(visitor, provider) == "/instance/add-workspace"
        assert "You are an instance admin. Add the first workspace." in visitor.get("/instance/add-workspace").text
        form = {"name": "Harbor", "slug": "harbor", "first": "me"}
        added = visitor.post("/instance/add-workspace", form)

        assert visitor.get(str(added.location)).status_code == 200
        assert visitor.get("/w/harbor/members").status_code == 200
        assert _accounts(app) == [("ada@example.com", True, False)]
        assert _uses(app) == [("Ada Harbor", ["first account"])]
        assert _session_rights(app) == [False]

    def test_they_sign_in_again_the_usual_way(self, app: Flask, provider: TestProvider) -> None:
        _sign_on(_open_link(app), provider)
        browser = Visitor.anonymous(app)

        assert browser.get(provider.sign_in(browser.get("/sign-in/provider").location)).location == "/"
        assert browser.get("/instance").status_code == 200

    def test_an_address_that_nobody_has_confirmed_is_no_obstacle(self, app: Flask, provider: TestProvider) -> None:
        provider.users["ada"]["email_verified"] = False

        assert _sign_on(_open_link(app), provider) == "/instance/add-workspace"

    def test_no_account_with_a_password_can_be_made(self, app: Flask, provider: TestProvider) -> None:
        visitor = _open_link(app)
        form = {"name": "Ann", "email": "ann@example.com", "password": "velvet anchor quince 7", "workspace": "Harbor"}
        response = visitor.post("/set-up", form)

        assert response.status_code == 403
        assert "Passwords are turned off" in response.text
        assert _accounts(app) == []
        assert _sign_on(visitor, provider) == "/instance/add-workspace"

    def test_a_sign_in_that_is_refused_leaves_the_link_as_it_was(self, app: Flask, provider: TestProvider) -> None:
        visitor = _open_link(app)
        provider.change_claims = lambda claims: claims.update(nonce="other")
        refused = visitor.get(provider.sign_in(visitor.get(BEGIN).location))
        assert refused.status_code == 400
        assert "belongs to another sign-in" in refused.text
        assert f'href="{BEGIN}"' in refused.text
        provider.change_claims = None

        assert _accounts(app) == []
        assert _sign_on(visitor, provider) == "/instance/add-workspace"

    def test_a_provider_that_is_down_leaves_the_link_as_it_was(self, app: Flask, provider: TestProvider) -> None:
        visitor = _open_link(app)
        provider.answers["/.well-known/openid-configuration"] = lambda handler: handler.send_json({}, 500)
        refused = visitor.get(BEGIN)

        assert refused.status_code == 503
        assert visitor.get("/set-up").status_code == 200

    def test_without_the_link_the_way_back_from_the_provider_makes_nobody_an_admin(
        self, app: Flask, provider: TestProvider
    ) -> None:
        _open_link(app)
        stranger = Visitor.anonymous(app)
        response = stranger.get(provider.sign_in(stranger.get(BEGIN).location))

        assert (response.status_code, "This link does not work" in response.text) == (404, True)
        assert _accounts(app) == []

    def test_with_the_link_an_ordinary_sign_in_does_not_use_it(self, app: Flask, provider: TestProvider) -> None:
        visitor = _open_link(app)
        response = visitor.get(provider.sign_in(visitor.get("/sign-in/provider").location))

        assert response.status_code == 403
        assert _accounts(app) == []
        assert visitor.get("/set-up").status_code == 200

    @pytest.mark.parametrize("how", ["replaced", "expired"])
    def test_a_link_that_ends_while_somebody_is_at_the_provider_makes_nobody_an_admin(
        self, app: Flask, provider: TestProvider, how: str
    ) -> None:
        visitor = _open_link(app)
        path = provider.sign_in(visitor.get(BEGIN).location)
        with app.app_context():
            if how == "replaced":
                replace_link(database_clock.now(), COMMAND_LINE)
            else:
                db.session.execute(db.update(SetUp).values(expires_at=database_clock.now() - timedelta(seconds=1)))
            db.session.commit()
        response = visitor.get(path)

        assert (response.status_code, _accounts(app)) == (404, [])

    def test_of_two_who_use_it_only_one_gets_in(self, app: Flask, provider: TestProvider) -> None:
        first = _open_link(app)
        second = Visitor.anonymous(app)
        cookie = first.client.get_cookie("session")
        assert cookie is not None
        second.client.set_cookie("session", cookie.value)
        paths = [visitor_path(visitor, provider) for visitor in (first, second)]

        assert [visitor.get(path).status_code for visitor, path in zip((first, second), paths, strict=True)] == [
            302,
            404,
        ]
        assert len(_accounts(app)) == 1


def visitor_path(visitor: Visitor, provider: TestProvider) -> str:
    """Return the path that the provider sends a browser back to."""
    return provider.sign_in(visitor.get(BEGIN).location)


class TestLater:
    """The installation has accounts."""

    @on_both_databases
    def test_somebody_who_cannot_sign_in_anywhere_becomes_an_instance_admin_for_one_session(
        self, app: Flask, seeded: SeededIds, provider: TestProvider
    ) -> None:
        with app.app_context():
            add_owner(seeded)
        provider.answers["/.well-known/openid-configuration"] = lambda handler: handler.send_json({}, 500)
        visitor = _open_link(app)
        assert 'name="password"' not in visitor.get("/set-up").text
        assert visitor.post("/set-up", {"existing": "viewer@example.com"}).location == "/"
        assert visitor.get("/instance").status_code == 200
        visitor.post("/sign-out")

        assert visitor.get("/instance").status_code == 302
        assert _uses(app) == [("Viewer", ["instance admin for one session"])]
        assert [is_admin for _, is_admin, _ in _accounts(app)] == [False] * 5

    def test_no_account_with_a_password_can_be_made(self, app: Flask, seeded: SeededIds) -> None:
        form = {"name": "Ann", "email": "ann@example.com", "password": PASSWORD + " and more"}
        response = _open_link(app).post("/set-up", form)

        assert (response.status_code, len(_accounts(app))) == (403, 4)

    def test_a_company_account_becomes_an_instance_admin_for_one_session(
        self, app: Flask, seeded: SeededIds, provider: TestProvider
    ) -> None:
        visitor = _open_link(app)

        assert _sign_on(visitor, provider) == "/"
        assert visitor.get("/instance").status_code == 200
        assert _accounts(app)[-1] == ("ada@example.com", False, False)
        assert _session_rights(app) == [True]
        browser = Visitor.anonymous(app)
        browser.get(provider.sign_in(browser.get("/sign-in/provider").location))
        assert browser.get("/instance").status_code == 404

    def test_whoever_is_signed_in_uses_it_too(self, app: Flask, seeded: SeededIds, provider: TestProvider) -> None:
        visitor = _open_link(app, Visitor.signed_in(app, seeded.viewer))

        assert _sign_on(visitor, provider) == "/"
        assert visitor.get("/instance").status_code == 200
        assert _session_rights(app) == [True]  # the session before has ended

    def test_whoever_is_signed_in_without_a_link_does_not_go_to_the_provider(
        self, app: Flask, seeded: SeededIds, provider: TestProvider
    ) -> None:
        assert Visitor.signed_in(app, seeded.viewer).get(BEGIN).location == "/set-up"
        assert provider.requested == []

    def test_it_links_no_account_whose_address_is_not_confirmed(
        self, app: Flask, seeded: SeededIds, provider: TestProvider
    ) -> None:
        provider.users["ada"]["email"] = "viewer@example.com"
        visitor = _open_link(app)
        response = visitor.get(visitor_path(visitor, provider))

        assert response.status_code == 403
        assert "has not confirmed that the address is yours" in response.text
        with app.app_context():
            assert db.session.scalars(select(ExternalIdentity)).all() == []

    def test_an_installation_whose_accounts_are_all_gone_gets_one_again(
        self, app: Flask, seeded: SeededIds, provider: TestProvider
    ) -> None:
        with app.app_context():
            for table in reversed(db.metadata.sorted_tables):
                if table.name in {"members", "sign_ins", "accounts", "alert_destinations"}:
                    db.session.execute(delete(table))
            db.session.commit()

        assert _sign_on(_open_link(app), provider) == "/"
        assert _accounts(app) == [("ada@example.com", False, False)]
