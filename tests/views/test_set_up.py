"""The page behind the set-up link: what it makes, what a mistake leaves as it was, and what it never shows."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.factories import NOW, SeededIds, add_owner, on_both_databases
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth.set_up_links import replace_link
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, SetUp, SignIn, Workspace, database_clock
from webapp.workspaces.workspace_changes import add_workspace

EMAIL, PASSWORD = "ann@example.com", "velvet anchor quince 7"
FIRST = {"name": "Ann", "email": EMAIL, "password": PASSWORD, "workspace": "Harbor Logistics"}
NEW = {"name": "Ann", "email": EMAIL, "password": PASSWORD}


@pytest.fixture
def token(app: Flask) -> str:
    """The token of a link that works. Before the first account is added, it makes the first one."""
    with app.app_context():
        token = replace_link(database_clock.now(), COMMAND_LINE)
        db.session.commit()
        return token


@pytest.fixture
def visitor(app: Flask, token: str) -> Visitor:
    """Whoever has opened the link."""
    visitor = Visitor.anonymous(app)
    opened = visitor.get(f"/set-up/{token}")
    assert (opened.status_code, opened.location) == (302, "/set-up")
    assert visitor.get("/set-up").status_code == 200
    return visitor


def _rows(app: Flask, *columns: object) -> list[tuple[object, ...]]:
    with app.app_context():
        return [tuple(row) for row in db.session.execute(select(*columns))]  # type: ignore[call-overload]


def _trail(app: Flask) -> list[tuple[object, ...]]:
    return _rows(app, AuditEvent.workspace_id, AuditEvent.account_name, AuditEvent.action, AuditEvent.changed)


def _is_ended(response: TestResponse) -> bool:
    return response.status_code == 404 and "This link does not work" in response.text


class TestFirst:
    @on_both_databases
    def test_it_makes_an_instance_admin_who_is_the_admin_of_the_first_workspace(
        self, app: Flask, visitor: Visitor
    ) -> None:
        response = visitor.post("/set-up", FIRST)

        assert (response.status_code, response.location) == (302, "/w/harbor-logistics/destinations")
        assert _rows(app, Account.email, Account.name, Account.is_instance_admin) == [(EMAIL, "Ann", True)]
        assert _rows(app, Workspace.slug, Workspace.name) == [("harbor-logistics", "Harbor Logistics")]
        assert _rows(app, Member.workspace_id, Member.account_id, Member.role) == [(1, 1, "admin")]

    def test_it_signs_the_account_in_and_leads_to_the_next_steps(self, visitor: Visitor) -> None:
        page = visitor.get(visitor.post("/set-up", FIRST).location or "")

        assert page.status_code == 200
        assert "You are an admin of this workspace, and of the installation." in page.text
        assert all(step in page.text for step in ("Add a destination</a>", '/members">Invite people</a>'))

    def test_its_session_has_no_rights_of_its_own(self, app: Flask, visitor: Visitor) -> None:
        visitor.post("/set-up", FIRST)

        assert _rows(app, SignIn.is_instance_admin) == [(False,)]

    def test_the_account_signs_in_with_its_password(self, app: Flask, visitor: Visitor) -> None:
        visitor.post("/set-up", FIRST)
        signed_in = Visitor.anonymous(app).post("/sign-in", {"email": EMAIL, "password": PASSWORD})

        assert signed_in.status_code == 302

    def test_everything_stands_in_the_audit_trail(self, app: Flask, visitor: Visitor) -> None:
        visitor.post("/set-up", FIRST)

        assert {row[:3] for row in _trail(app)} >= {
            (None, "Command line", "made a set-up link"),
            (None, "Ann", "used the set-up link"),
            (1, "Ann", "added the workspace"),
            (1, "Ann", "added the member"),
            (1, "Ann", "signed in"),
        }

    def test_a_short_name_can_be_chosen(self, app: Flask, visitor: Visitor) -> None:
        response = visitor.post("/set-up", FIRST | {"slug": " dock-7 "})

        assert response.location == "/w/dock-7/destinations"

    @pytest.mark.parametrize(
        ("name", "slug"),
        [("Müller & Söhne", "muller-sohne"), ("Straße 7", "strasse-7"), ("港", "workspace"), ("x" * 200, "x" * 63)],
    )
    def test_the_short_name_is_made_from_the_name(self, app: Flask, visitor: Visitor, name: str, slug: str) -> None:
        visitor.post("/set-up", FIRST | {"workspace": name})

        assert _rows(app, Workspace.slug) == [(slug,)]

    @pytest.mark.parametrize(
        ("mistake", "sentence"),
        [
            ({"name": "\u200b"}, "The name has no visible character."),
            ({"name": "x" * 201}, "The name is too long."),
            ({"email": ""}, "Enter your email address."),
            ({"email": "ann"}, "An email address looks like name@example.com."),
            ({"email": "an\u200bn@example.com"}, "contains an invisible character"),
            ({"password": ""}, "Use 12 characters or more."),
            ({"password": "harbor logistics"}, "contains a name that others know"),
            ({"password": "password12345"}, "too easy to guess"),
            ({"workspace": ""}, "The name has no visible character."),
            ({"slug": "Harbor"}, "A slug has up to 63 lowercase letters"),
            ({"slug": "a/b"}, "A slug has up to 63 lowercase letters"),
        ],
    )
    def test_a_mistake_makes_nothing_and_loses_nothing(
        self, app: Flask, visitor: Visitor, mistake: dict[str, str], sentence: str
    ) -> None:
        typed = FIRST | {"slug": "dock"} | mistake
        response = visitor.post("/set-up", typed)

        assert (response.status_code, sentence in response.text) == (400, True)
        shown = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', response.text))
        kept = [name for name in ("name", "email", "workspace", "slug") if name not in mistake]
        assert {name: shown[name] for name in kept} == {name: typed[name] for name in kept}
        assert (_rows(app, Account.id), _rows(app, Workspace.id)) == ([], [])
        assert visitor.post("/set-up", FIRST).status_code == 302

    def test_no_page_shows_a_typed_password(self, visitor: Visitor) -> None:
        assert PASSWORD not in visitor.post("/set-up", FIRST | {"email": "ann"}).text

    def test_all_mistakes_are_named_at_once(self, visitor: Visitor) -> None:
        page = visitor.post("/set-up").text

        assert "4 fields need to be corrected" in page

    def test_a_slug_that_a_workspace_has_makes_nothing(self, app: Flask, visitor: Visitor) -> None:
        with app.app_context():
            add_workspace("harbor-logistics", "Another", NOW)
            db.session.commit()
        response = visitor.post("/set-up", FIRST)

        assert (response.status_code, "Choose another short name." in response.text) == (400, True)
        assert (_rows(app, Account.id), _rows(app, SetUp.account_added_at)) == ([], [(None,)])
        assert visitor.post("/set-up", FIRST | {"slug": "dock"}).status_code == 302

    def test_the_check_of_a_browser_with_javascript_changes_nothing_and_repeats_nothing(
        self, app: Flask, visitor: Visitor
    ) -> None:
        wrong = visitor.post("/set-up/check", FIRST | {"email": "ann"}, headers={"HX-Request": "true"})
        right = visitor.post("/set-up/check", FIRST, headers={"HX-Request": "true"})

        assert (wrong.status_code, "looks like name@example.com" in wrong.text) == (200, True)
        assert [typed for typed in FIRST.values() if typed in wrong.text] == []
        assert (right.status_code, right.text, _rows(app, Account.id)) == (204, "", [])

    def test_an_account_that_a_command_adds_meanwhile_ends_the_link(self, app: Flask, visitor: Visitor) -> None:
        typed = f"{PASSWORD}\n{PASSWORD}\n"
        app.test_cli_runner().invoke(args=["add-workspace", "dock", "Dock"])
        app.test_cli_runner().invoke(args=["add-member", "dock", "bob@example.com", "viewer"], input=typed)

        assert _is_ended(visitor.post("/set-up", FIRST))
        assert _rows(app, Account.email, Account.is_instance_admin) == [("bob@example.com", False)]


class TestLater:
    @pytest.fixture
    def visitor(self, app: Flask, seeded: SeededIds, token: str) -> Visitor:
        """Whoever has opened the link of an installation with accounts."""
        with app.app_context():
            add_owner(seeded)
        visitor = Visitor.anonymous(app)
        visitor.get(f"/set-up/{token}")
        visitor.get("/set-up")
        return visitor

    @on_both_databases
    def test_an_existing_account_gets_the_rights_for_one_session(self, app: Flask, visitor: Visitor) -> None:
        before = _rows(app, Account.email, Account.password_hash, Account.is_instance_admin)
        response = visitor.post("/set-up", {"existing": " Owner@Example.com"})

        assert response.status_code == 302
        assert _rows(app, SignIn.is_instance_admin) == [(True,)]
        assert _rows(app, Account.email, Account.password_hash, Account.is_instance_admin) == before

    def test_a_sign_in_afterwards_has_no_such_rights(self, app: Flask, visitor: Visitor) -> None:
        visitor.post("/set-up", {"existing": "owner@example.com"})
        visitor.get("/workspaces")
        visitor.post("/sign-out")
        visitor.get("/sign-in")
        visitor.post("/sign-in", {"email": "owner@example.com", "password": "correct horse battery"})

        assert _rows(app, SignIn.is_instance_admin) == [(False,)]

    def test_a_new_account_gets_the_rights_for_one_session(self, app: Flask, visitor: Visitor) -> None:
        response = visitor.post("/set-up", NEW)

        assert response.status_code == 302
        assert _rows(app, SignIn.is_instance_admin) == [(True,)]
        assert (EMAIL, False) in _rows(app, Account.email, Account.is_instance_admin)
        assert (visitor.get("/").location, visitor.get("/instance").status_code) == ("/instance", 200)

    def test_it_stands_in_the_audit_trail_of_the_installation(self, app: Flask, visitor: Visitor) -> None:
        visitor.post("/set-up", {"existing": "owner@example.com"})

        assert (None, "Owner", "used the set-up link", ["instance admin for one session"]) in _trail(app)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"existing": "nobody@example.com"}, "No account has this email address."),
            ({"existing": ""}, "Enter your email address."),
            ({"existing": "\u200b@"}, "contains an invisible character"),
            (NEW | {"email": "Owner@example.com"}, "An account has this email address."),
            (NEW | {"password": "ann@example.com"}, "contains a name that others know"),
        ],
    )
    def test_a_mistake_uses_nothing(self, app: Flask, visitor: Visitor, typed: dict[str, str], sentence: str) -> None:
        before = _rows(app, Account.id)
        response = visitor.post("/set-up", typed)

        assert (response.status_code, sentence in response.text) == (400, True)
        assert (_rows(app, Account.id), _rows(app, SignIn.id)) == (before, [])
        assert visitor.post("/set-up", {"existing": "owner@example.com"}).status_code == 302

    def test_a_disabled_account_gets_no_session(self, app: Flask, visitor: Visitor) -> None:
        with app.app_context():
            db.session.execute(update(Account).where(Account.email == "owner@example.com").values(is_active=False))
            db.session.commit()
        response = visitor.post("/set-up", {"existing": "owner@example.com"})

        assert (response.status_code, "This account is disabled." in response.text) == (400, True)

    def test_it_ends_the_session_of_whoever_was_signed_in_on_this_browser(
        self, app: Flask, seeded: SeededIds, token: str
    ) -> None:
        visitor = Visitor.signed_in(app, seeded.viewer)
        with app.app_context():
            token = replace_link(database_clock.now(), COMMAND_LINE)
            db.session.commit()
        visitor.get(f"/set-up/{token}")
        visitor.get("/set-up")
        visitor.post("/set-up", {"existing": "support@example.com"})

        assert _rows(app, SignIn.account_id) == [(seeded.support,)]


class TestLink:
    def test_opening_it_changes_nothing_and_takes_the_token_out_of_the_address(self, app: Flask, token: str) -> None:
        before = _rows(app, SetUp.token_hash, SetUp.expires_at)
        visitor = Visitor.anonymous(app)
        pages = [visitor.get(f"/set-up/{token}") for _ in range(3)] + [visitor.get("/set-up")]

        assert _rows(app, SetUp.token_hash, SetUp.expires_at) == before
        assert [page for page in pages if token in page.text or token in (page.location or "")] == []

    def test_a_used_an_ended_and_an_unknown_link_look_alike(self, app: Flask, visitor: Visitor, token: str) -> None:
        visitor.post("/set-up", FIRST)
        stranger = Visitor.anonymous(app)
        paths = [f"/set-up/{token}", f"/set-up/{token[::-1]}", "/set-up/x", "/set-up", f"/set-up/{'9' * 5000}"]
        pages = [stranger.get(path) for path in paths]

        assert [page for page in pages if not _is_ended(page)] == []
        assert len({re.sub(r'X-CSRFToken": "[^"]+', "", page.text) for page in pages}) == 1

    def test_a_link_whose_hour_is_over_makes_nothing(self, app: Flask, visitor: Visitor) -> None:
        with app.app_context():
            db.session.execute(update(SetUp).values(expires_at=database_clock.now() - timedelta(seconds=1)))
            db.session.commit()

        assert _is_ended(visitor.get("/set-up"))
        assert _is_ended(visitor.post("/set-up", FIRST))
        assert _rows(app, Account.id) == []

    @pytest.mark.parametrize("path", ["/set-up", "/set-up/check"])
    def test_a_form_without_the_token_of_its_page_makes_nothing(self, app: Flask, visitor: Visitor, path: str) -> None:
        visitor.token = ""

        assert visitor.post(path, FIRST).status_code == 400
        assert _rows(app, Account.id) == []

    def test_nobody_uses_a_link_that_their_browser_has_not_opened(self, app: Flask, visitor: Visitor) -> None:
        assert _is_ended(Visitor.anonymous(app).post("/set-up", FIRST))
        assert _rows(app, Account.id) == []

    def test_its_pages_are_private(self, visitor: Visitor, token: str) -> None:
        opened, shown = visitor.get(f"/set-up/{token}"), visitor.get("/set-up")

        assert (opened.headers["Referrer-Policy"], shown.headers["Referrer-Policy"]) == ("no-referrer", "same-origin")
        assert {page.headers["X-Robots-Tag"] for page in (opened, shown)} == {"noindex, nofollow"}
        assert [page for page in (opened, shown) if "no-store" not in page.headers["Cache-Control"]] == []

    def test_guesses_are_limited(self, app: Flask) -> None:
        visitor = Visitor.anonymous(app)
        codes = [visitor.get(f"/set-up/{number}").status_code for number in range(31)]

        assert (set(codes[:30]), codes[30]) == ({404}, 429)


@on_both_databases
@pytest.mark.usefixtures("production_hashes")
def test_of_presses_at_once_one_makes_an_account(app: Flask, token: str) -> None:
    visitors = [Visitor.anonymous(app) for _ in range(4)]
    for visitor in visitors:
        visitor.get(f"/set-up/{token}")
        visitor.get("/set-up")
    barrier = Barrier(4)

    def press(number: int) -> int:
        barrier.wait(60)
        return visitors[number].post("/set-up", FIRST | {"email": f"{number}@example.com"}).status_code

    with ThreadPoolExecutor(4) as threads:
        codes = sorted(threads.map(press, range(4)))

    assert (codes[0], len(_rows(app, Account.id)), len(_rows(app, Workspace.id))) == (302, 1, 1)
    assert set(codes[1:]) <= {404, 503}  # 503: a database that is busy with the other presses


def test_what_cannot_be_recorded_is_not_done(app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("webapp.workspaces.set_up.record_instance_event", fail)

    assert visitor.post("/set-up", FIRST).status_code == 500
    assert (_rows(app, Account.id), _rows(app, SetUp.account_added_at)) == ([], [(None,)])


def test_the_sign_in_page_names_the_set_up_link_until_there_is_an_account(app: Flask, visitor: Visitor) -> None:
    sentence = "No account exists yet."
    before = Visitor.anonymous(app).get("/sign-in").text
    visitor.post("/set-up", FIRST)
    after = Visitor.anonymous(app).get("/sign-in").text

    assert (sentence in before, sentence in after) == (True, False)
