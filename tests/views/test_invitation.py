"""The page of an invitation: what it shows to whom, that opening it changes nothing, and that a press accepts."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.factories import SeededIds, get_account, get_workspace, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.access import Visit, find_role
from webapp.auth.one_time_tokens import hash_token, make_token
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Invitation, Member, Role, SignIn, Workspace
from webapp.settings import read_settings
from webapp.workspaces.invitations import MAILED, make_invitation

SignedIn = Callable[[int], Visitor]

PAGE = "/invitation"
PASSWORD = "four unrelated words suffice"
ENTERED = {"email": "jo@example.com", "name": "Jo", "password": PASSWORD}
STRANGER = "stranger@example.com"


@dataclass(frozen=True)
class Inviter:
    """Makes invitations to the harbor workspace, and returns the token of their link."""

    app: Flask
    seeded: SeededIds

    def invite(self, email: str | None = None, role: Role = Role.SUPPORT, *, is_mailed: bool = False) -> str:
        with self.app.app_context():
            visit = Visit(get_account(self.seeded), get_workspace(self.seeded), Role.ADMIN)
            link = make_invitation(visit, role, email, datetime.now(UTC))
            mailed = make_token()
            link.invitation.mailed_token_hash = hash_token(mailed, MAILED)
            db.session.commit()
            return mailed if is_mailed else link.token

    def find_role(self, email: str) -> Role | None:
        with self.app.app_context():
            account = db.session.scalars(select(Account).where(Account.email == email)).one_or_none()
            return find_role(get_workspace(self.seeded), account) if account else None


@pytest.fixture
def inviter(app: Flask, seeded: SeededIds) -> Inviter:
    return Inviter(app, seeded)


def _open(visitor: Visitor, token: str) -> TestResponse:
    visitor.get(f"{PAGE}/open/{token}")
    return visitor.get(PAGE)


def _words(response: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", response.text).split())


def _count_rows(app: Flask) -> list[int]:
    with app.app_context():
        tables = (Account, Member, Invitation, SignIn, AuditEvent)
        return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


# Opening a link


@pytest.mark.parametrize("who", ["nobody", "stranger", "support"])
@pytest.mark.parametrize("email", [None, STRANGER])
def test_opening_a_link_changes_nothing(
    app: Flask, seeded: SeededIds, inviter: Inviter, visit: SignedIn, who: str, email: str | None
) -> None:
    token = inviter.invite(email)
    visitor = Visitor.anonymous(app) if who == "nobody" else visit(asdict(seeded)[who])
    before = _count_rows(app)
    for _ in range(3):
        assert _open(visitor, token).status_code == 200

    assert _count_rows(app) == before


def test_the_token_leaves_the_address_bar(app: Flask, inviter: Inviter) -> None:
    token = inviter.invite()
    visitor = Visitor.anonymous(app)
    response = visitor.get(f"{PAGE}/open/{token}")

    cookie = visitor.client.get_cookie("invitation")
    assert (response.status_code, response.location) == (303, PAGE)
    assert cookie
    assert (cookie.decoded_value, cookie.http_only, cookie.same_site) == (token, True, "Lax")


def test_over_https_the_cookie_is_bound_to_the_host(environment: dict[str, str], seeded: SeededIds) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"}))
    token = Inviter(app, seeded).invite()

    response = app.test_client().get(f"{PAGE}/open/{token}", base_url="https://localhost")

    [cookie] = [text for text in response.headers.getlist("Set-Cookie") if token in text]
    assert cookie.startswith("__Host-invitation=")
    assert {part.strip() for part in cookie.split(";")} >= {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.parametrize("path", [f"{PAGE}/open/unknown", PAGE])
def test_the_pages_are_kept_out_of_search_engines_and_caches(app: Flask, inviter: Inviter, path: str) -> None:
    visitor = Visitor.anonymous(app)
    pages = [visitor.get(path), _open(visitor, inviter.invite())]

    assert [page.headers["X-Robots-Tag"] for page in pages] == ["noindex, nofollow"] * 2
    assert [page.headers["Cache-Control"] for page in pages] == ["no-store, no-transform"] * 2


@pytest.mark.parametrize("token", ["unknown", "valid"])
def test_the_address_with_the_token_sends_no_referrer(app: Flask, inviter: Inviter, token: str) -> None:
    path = inviter.invite() if token == "valid" else token

    assert app.test_client().get(f"{PAGE}/open/{path}").headers["Referrer-Policy"] == "no-referrer"


def _revoke(app: Flask, token: str) -> None:
    with app.app_context():
        db.session.delete(db.session.scalars(select(Invitation)).one())
        db.session.commit()


def _expire(app: Flask, token: str) -> None:
    with app.app_context():
        db.session.scalars(select(Invitation)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
        db.session.commit()


def _use(app: Flask, token: str) -> None:
    visitor = Visitor.anonymous(app)
    _open(visitor, token)
    assert visitor.post(PAGE, ENTERED | {"invitation": token}).status_code == 303


def _lower_inviter(app: Flask, token: str) -> None:
    with app.app_context():
        db.session.scalars(select(Member).where(Member.role == Role.ADMIN).limit(1)).one().role = Role.VIEWER
        db.session.commit()


@pytest.mark.parametrize("end", [_revoke, _expire, _use, _lower_inviter])
def test_used_ended_and_unknown_links_get_the_same_page(
    app: Flask, seeded: SeededIds, inviter: Inviter, visit: SignedIn, end: Callable[[Flask, str], None]
) -> None:
    token = inviter.invite()
    visitor, before = visit(seeded.stranger), visit(seeded.stranger)
    _open(before, token)
    end(app, token)

    def ask(token: str) -> list[TestResponse]:
        form = {"invitation": token}
        gets = [visitor.get(f"{PAGE}/open/{token}"), visitor.get(PAGE)]
        return [*gets, visitor.post(f"{PAGE}/join", form), visitor.post(PAGE, ENTERED | form)]

    ended, unknown = ask(token), ask("unknown")
    assert [page.status_code for page in ended + unknown] == [404] * 8
    assert [_words(page) for page in ended] == [_words(page) for page in unknown]
    assert before.get(PAGE).status_code == 404  # the page that was open before
    assert inviter.find_role(STRANGER) is None


def test_wrong_tokens_are_limited_per_client(app: Flask, inviter: Inviter) -> None:
    token, visitor = inviter.invite(), Visitor.anonymous(app)
    statuses = [visitor.get(f"{PAGE}/open/{number}").status_code for number in range(31)]

    assert statuses == [404] * 30 + [429]
    assert visitor.get(f"{PAGE}/open/{token}").status_code == 429
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    assert app.test_client().get(f"{PAGE}/open/{token}", **elsewhere).status_code == 303


# What the page shows


def test_a_visitor_without_an_account_reads_who_invites_to_what_as_what(app: Flask, inviter: Inviter) -> None:
    words = _words(_open(Visitor.anonymous(app), inviter.invite()))

    assert "Admin invites you to the workspace Harbor Logistics as support (tests destinations)." in words
    assert "Sign in to accept" in words
    assert "Make an account Email address" in words


def test_the_page_of_a_copied_link_masks_the_address(app: Flask, inviter: Inviter) -> None:
    page = _open(Visitor.anonymous(app), inviter.invite(STRANGER))

    assert "The invitation is for s***r@example.com" in _words(page)
    assert STRANGER not in page.text
    assert 'name="email"' not in page.text


def test_the_page_of_a_mailed_link_shows_the_address(app: Flask, inviter: Inviter) -> None:
    page = _open(Visitor.anonymous(app), inviter.invite(STRANGER, is_mailed=True))

    assert f"The invitation is for {STRANGER}" in _words(page)


def test_another_account_is_told_which_one_is_needed(seeded: SeededIds, inviter: Inviter, visit: SignedIn) -> None:
    token = inviter.invite("someone@example.com")
    visitor = visit(seeded.stranger)
    page = _open(visitor, token)

    assert "You are signed in as Stranger (stranger@example.com)." in _words(page)
    assert "Use the account of s***e@example.com" in _words(page)
    assert ("someone@example.com" in page.text, "Join as" in page.text) == (False, False)
    assert visitor.post(f"{PAGE}/join", {"invitation": token}).status_code == 409
    assert inviter.find_role(STRANGER) is None


def test_a_member_reads_that_the_role_stays(seeded: SeededIds, inviter: Inviter, visit: SignedIn) -> None:
    token = inviter.invite(role=Role.ADMIN)
    visitor = visit(seeded.support)
    page = _open(visitor, token)

    assert "You are already a member of this workspace, as support. That does not change" in _words(page)
    assert "Join as" not in page.text
    assert visitor.post(f"{PAGE}/join", {"invitation": token}).status_code == 409
    assert inviter.find_role("support@example.com") is Role.SUPPORT
    assert _open(visitor, token).status_code == 200  # it is still there for somebody else


# Accepting


@on_both_databases
@pytest.mark.parametrize("role", list(Role))
def test_somebody_without_an_account_makes_one_and_is_in_the_workspace(
    app: Flask, inviter: Inviter, role: Role
) -> None:
    token, visitor = inviter.invite(role=role), Visitor.anonymous(app)
    _open(visitor, token)
    response = visitor.post(PAGE, ENTERED | {"invitation": token})
    page = visitor.get(response.location or "")

    assert (response.status_code, response.location) == (303, "/w/harbor/destinations")
    assert f"You are now a member of Harbor Logistics, as {role}." in _words(page)
    assert inviter.find_role("jo@example.com") is role
    assert visitor.client.get_cookie("invitation") is None


def test_a_new_account_signs_in_with_its_password(app: Flask, inviter: Inviter) -> None:
    _use(app, inviter.invite())
    visitor = Visitor.anonymous(app)

    assert visitor.post("/sign-in", {"email": "jo@example.com", "password": PASSWORD}).location == "/"


@on_both_databases
def test_somebody_with_an_account_signs_in_and_accepts(app: Flask, owner: int, inviter: Inviter) -> None:
    with app.app_context():
        db.session.delete(db.session.scalars(select(Member).where(Member.account_id == owner)).one())
        db.session.commit()
    token, visitor = inviter.invite("owner@example.com"), Visitor.anonymous(app)
    link = re.search(r'href="(/sign-in[^"]+)"', _open(visitor, token).text)
    assert link
    visitor.get(link[1])
    signed_in = visitor.post(link[1], {"email": "owner@example.com", "password": "correct horse battery"})
    page = visitor.get(signed_in.location)
    accepted = visitor.post(f"{PAGE}/join", {"invitation": token})

    assert "You are signed in as Owner (owner@example.com)." in _words(page)
    assert (accepted.status_code, accepted.location) == (303, "/w/harbor/destinations")
    assert inviter.find_role("owner@example.com") is Role.SUPPORT


def test_each_page_accepts_what_it_showed(app: Flask, seeded: SeededIds, inviter: Inviter, visit: SignedIn) -> None:
    with app.app_context():
        stranger = db.session.get_one(Account, seeded.stranger)
        clinic = Visit(stranger, db.session.get_one(Workspace, seeded.clinic), Role.ADMIN)
        later = make_invitation(clinic, Role.VIEWER, None, datetime.now(UTC)).token
    first, visitor = inviter.invite(), Visitor.anonymous(app)
    shown = re.search(r'name="invitation" value="([^"]+)"', _open(visitor, first).text)
    _open(visitor, later)  # in another tab
    assert shown
    response = visitor.post(PAGE, ENTERED | {"invitation": shown[1]})

    assert response.location == "/w/harbor/destinations"


def test_another_account_can_be_used(seeded: SeededIds, inviter: Inviter, visit: SignedIn) -> None:
    visitor = visit(seeded.stranger)
    token = inviter.invite("someone@example.com")
    _open(visitor, token)
    response = visitor.post(f"{PAGE}/other-account")

    assert response.location == "/sign-in?next=/invitation"
    visitor.get(response.location)
    assert "Make an account" in _words(visitor.get(PAGE))


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "\u200b"}, "Enter a name."),
        ({"name": "x" * 201}, "too long"),
        ({"email": "jo"}, "looks like name@example.com"),
        ({"email": ""}, "Enter your email address."),
        ({"password": ""}, "Enter a password."),
        ({"password": "short"}, "Use 12 characters or more."),
        ({"password": "harbor logistics"}, "a name that others know"),
        ({"password": "x" * 5000}, "1,000 characters or fewer"),
    ],
)
def test_what_cannot_be_an_account_is_refused_with_the_reason(
    app: Flask, inviter: Inviter, entered: dict[str, str], reason: str
) -> None:
    token, visitor = inviter.invite(), Visitor.anonymous(app)
    _open(visitor, token)
    response = visitor.post(PAGE, ENTERED | entered | {"invitation": token})

    assert (response.status_code, reason in _words(response)) == (400, True)
    assert PASSWORD not in response.text
    assert _open(visitor, token).status_code == 200


@pytest.mark.parametrize("invited", [None, STRANGER])
def test_an_address_with_an_account_is_asked_to_sign_in(app: Flask, inviter: Inviter, invited: str | None) -> None:
    token, visitor = inviter.invite(invited), Visitor.anonymous(app)
    _open(visitor, token)
    response = visitor.post(PAGE, ENTERED | {"invitation": token, "email": STRANGER})

    assert response.status_code == 409
    assert "No account was made: there may be one with this address. If it is yours, sign in." in _words(response)
    assert inviter.find_role(STRANGER) is None


def test_few_addresses_can_be_tried_with_an_invitation(app: Flask, inviter: Inviter) -> None:
    tokens, visitor = [inviter.invite(), inviter.invite()], Visitor.anonymous(app)
    _open(visitor, tokens[0])

    def probe(token: str, address: str) -> int:
        form = ENTERED | {"invitation": token, "email": STRANGER}
        return visitor.post(PAGE, form, environ_base={"REMOTE_ADDR": address}).status_code

    statuses = [probe(tokens[0], f"192.0.2.{number}") for number in range(6)]
    assert statuses == [409] * 5 + [429]
    assert probe(tokens[1], "192.0.2.9") == 409


def test_a_press_whose_session_has_ended_leads_back_after_the_sign_in(
    app: Flask, seeded: SeededIds, inviter: Inviter, visit: SignedIn
) -> None:
    token, visitor = inviter.invite(), visit(seeded.stranger)
    _open(visitor, token)
    with app.app_context():
        db.session.delete(db.session.scalars(select(SignIn)).one())
        db.session.commit()
    response = visitor.post(f"{PAGE}/join", {"invitation": token}, headers={"Referer": f"http://localhost{PAGE}"})

    assert response.location == "/sign-in?next=/invitation"
    assert inviter.find_role(STRANGER) is None


def test_another_site_can_make_nobody_a_member(seeded: SeededIds, inviter: Inviter, visit: SignedIn) -> None:
    token, visitor = inviter.invite(), visit(seeded.stranger)
    responses = [visitor.client.post(path, data=ENTERED | {"invitation": token}) for path in (PAGE, f"{PAGE}/join")]

    assert [response.status_code for response in responses] == [400, 400]
    assert (inviter.find_role(STRANGER), inviter.find_role("jo@example.com")) == (None, None)


def test_no_log_line_contains_a_token(app: Flask, inviter: Inviter, caplog: pytest.LogCaptureFixture) -> None:
    token, visitor = inviter.invite(), Visitor.anonymous(app)
    with caplog.at_level("DEBUG"):
        _open(visitor, token)
        visitor.client.post(PAGE, data={"invitation": token})
        visitor.post(PAGE, ENTERED | {"invitation": token})

    assert [record for record in caplog.records if token in repr(vars(record)) and record.name != "werkzeug"] == []
