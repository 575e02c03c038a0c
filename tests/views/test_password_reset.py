"""A forgotten password: the same answer for every address, a link that works once, and what a new password ends."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import OWNER, PASSWORD, on_both_databases
from tests.mailbox import deliver_mails, find_paths, mail_settings, read_mails, read_text
from tests.scripted_mail_server import ScriptedMailServer
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.audit import Actor
from webapp.auth.account_links import delete_expired_account_links, use_link
from webapp.auth.password_reset import make_reset_link
from webapp.extensions import db
from webapp.models import Account, AccountLink, AccountMail, AuditEvent, SignIn, database_clock

NEW_PASSWORD = "violet ladder quantum meadow"
ENDED = "This link does not work"


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


def ask_for_link(app: Flask, email: str = OWNER) -> Any:
    visitor = Visitor.anonymous(app)
    visitor.get("/forgot-password")
    return visitor.post("/forgot-password", {"email": email})


def get_link(app: Flask, mailbox: ScriptedMailServer) -> str:
    """Have a link mailed, and return its path."""
    ask_for_link(app)
    deliver_mails(app)
    return find_paths(mailbox)[-1]


def open_link(app: Flask, path: str) -> Visitor:
    visitor = Visitor.anonymous(app)
    visitor.get(path, follow_redirects=True)
    return visitor


def set_password(visitor: Visitor, password: str = NEW_PASSWORD) -> Any:
    with visitor.client.session_transaction() as session:
        link = session.get("reset_token", "")
    return visitor.post("/reset-password", {"new": password, "link": link})


def can_sign_in(app: Flask, password: str) -> bool:
    visitor = Visitor.anonymous(app)
    return bool(visitor.post("/sign-in", {"email": OWNER, "password": password}).status_code == 302)


def read_account(app: Flask, account_id: int) -> Account:
    with app.app_context():
        account = db.session.get_one(Account, account_id)
        db.session.expunge(account)
        return account


def read_events(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [(happened.account_name, happened.action) for happened in events]


# Who asks


@on_both_databases
def test_every_address_gets_the_same_answer_by_the_same_work(app: Flask, owner: int) -> None:
    with app.app_context():
        db.session.execute(update(Account).where(Account.email == "viewer@example.com").values(is_active=False))
        db.session.commit()
    answers, work = [], []

    for email in (OWNER, "nobody@example.com", "support@example.com", "viewer@example.com"):
        visitor = Visitor.anonymous(app)
        visitor.get("/forgot-password")
        with collecting_statements(app) as statements:
            response = visitor.post("/forgot-password", {"email": email})
        answers.append((response.status_code, response.headers["Location"], response.data))
        work.append(statements)

    assert answers == [answers[0]] * 4
    assert work == [work[0]] * 4
    assert not any("FROM accounts" in statement for statement in work[0])


def test_the_answer_is_the_same_for_an_address_over_its_limit(app: Flask, owner: int) -> None:
    app_state(app)
    answers = []
    for _ in range(2):
        for _ in range(4):
            answers.append(ask_for_link(app).data)
            deliver_mails(app)
        with app.app_context():
            app_state(app).redis.flushall()

    assert answers == [answers[0]] * 8
    with app.app_context():
        assert db.session.scalars(select(AccountMail.error_code)).all()[-1] == "recipient_limit"


def test_the_answer_does_not_wait_for_the_mail_server(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    ask_for_link(app)

    assert mailbox.commands == []


def test_a_client_may_ask_a_few_times_a_minute(app: Flask, owner: int) -> None:
    statuses = [ask_for_link(app).status_code for _ in range(6)]

    assert statuses == [303] * 5 + [429]


@pytest.mark.parametrize("email", ["", " ", "a\u200bb@example.com", "x" * 300])
def test_a_text_that_no_account_can_have_is_refused(app: Flask, owner: int, email: str) -> None:
    assert ask_for_link(app, email).status_code == 400


def test_the_sign_in_page_offers_a_link(app: Flask, owner: int) -> None:
    assert "Forgot your password?" in Visitor.anonymous(app).get("/sign-in").text


@pytest.mark.parametrize("missing", ["ALERTCHECK_MAIL_URL", "ALERTCHECK_PUBLIC_URL"])
class TestWithoutMail:
    """An installation that cannot mail a link."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], missing: str) -> dict[str, str]:
        return {name: value for name, value in environment.items() if name != missing}

    def test_nothing_is_offered(self, app: Flask, missing: str) -> None:
        visitor = Visitor.anonymous(app)

        assert "Forgot" not in visitor.get("/sign-in").text
        assert visitor.get("/forgot-password").status_code == 404
        assert visitor.post("/forgot-password", {"email": OWNER}).status_code == 404

    def test_a_link_of_an_instance_admin_works(self, app: Flask, owner: int, missing: str) -> None:
        with app.app_context():
            token = make_reset_link(db.session.get_one(Account, owner), database_clock.now(), Actor(None, "Ada"))
            db.session.commit()

        set_password(open_link(app, f"/reset-password/{token}"))

        assert can_sign_in(app, NEW_PASSWORD)


# The link


@on_both_databases
def test_a_link_sets_a_new_password_and_signs_in(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    visitor = open_link(app, get_link(app, mailbox))

    response = set_password(visitor)

    assert response.headers["Location"] == "/"
    assert visitor.get("/account").status_code == 200
    assert (can_sign_in(app, NEW_PASSWORD), can_sign_in(app, PASSWORD)) == (True, False)


def test_the_token_leaves_the_address_bar(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    path = get_link(app, mailbox)

    opened = Visitor.anonymous(app).get(path)

    assert opened.headers["Location"] == "/reset-password"
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    assert opened.headers["Cache-Control"] == "no-store, no-transform"
    assert "noindex" in opened.headers["X-Robots-Tag"]


def test_opening_a_link_changes_nothing(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    path = get_link(app, mailbox)

    for _ in range(3):
        open_link(app, path)

    assert set_password(open_link(app, path)).status_code == 303


@on_both_databases
def test_a_link_works_once(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    path = get_link(app, mailbox)
    first, second = open_link(app, path), open_link(app, path)
    set_password(first)

    again = set_password(second, "another ladder quantum meadow")

    assert (again.status_code, Visitor.anonymous(app).get(path).status_code) == (404, 404)
    assert ENDED in again.text
    assert can_sign_in(app, NEW_PASSWORD)


@on_both_databases
def test_of_two_uses_of_a_link_at_once_one_counts(
    app: Flask, owner: int, mailbox: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = get_link(app, mailbox)
    first, second = open_link(app, path), open_link(app, path)
    responses: list[int] = []

    def use_after_another(link: AccountLink) -> bool:
        monkeypatch.setattr("webapp.auth.password_reset.use_link", use_link)
        db.session.rollback()  # as if this one had only read so far
        with ThreadPoolExecutor() as pool:
            responses.append(pool.submit(set_password, first).result().status_code)
        return use_link(link)

    monkeypatch.setattr("webapp.auth.password_reset.use_link", use_after_another)
    late = set_password(second, "another ladder quantum meadow")

    assert (responses, late.status_code) == ([303], 404)
    assert can_sign_in(app, NEW_PASSWORD)


@on_both_databases
def test_a_newer_link_ends_the_older_one(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    older, newer = get_link(app, mailbox), get_link(app, mailbox)

    assert Visitor.anonymous(app).get(older).status_code == 404
    assert Visitor.anonymous(app).get(newer).status_code == 303


def test_each_page_sets_the_password_of_the_account_that_it_named(app: Flask, owner: int) -> None:
    with app.app_context():
        other = db.session.scalars(select(Account).where(Account.email == "support@example.com")).one()
        links = [
            make_reset_link(account, database_clock.now(), Actor(None, "Ada"))
            for account in (db.session.get_one(Account, owner), other)
        ]
        db.session.commit()
    visitor = Visitor.anonymous(app)
    page = visitor.get(f"/reset-password/{links[0]}", follow_redirects=True).text
    shown = re.search(r'name="link" value="([^"]+)"', page)
    visitor.get(f"/reset-password/{links[1]}", follow_redirects=True)  # in another tab, perhaps somebody else's link

    assert OWNER in page
    assert shown
    visitor.post("/reset-password", {"new": NEW_PASSWORD, "link": shown[1]})

    assert (can_sign_in(app, NEW_PASSWORD), can_sign_in(app, PASSWORD)) == (True, False)
    assert OWNER in visitor.get("/account").text


def test_a_link_that_has_ended_takes_away_no_other(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    ended, link = get_link(app, mailbox), get_link(app, mailbox)
    visitor = open_link(app, link)

    assert visitor.get(ended).status_code == 404
    assert visitor.get("/reset-password").status_code == 200


def test_a_form_without_a_link_sets_no_password(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    visitor = open_link(app, get_link(app, mailbox))

    assert visitor.post("/reset-password", {"new": NEW_PASSWORD}).status_code == 404
    assert can_sign_in(app, PASSWORD)


@pytest.mark.parametrize(("seconds", "status"), [(1, 303), (0, 404)])
def test_a_link_works_for_an_hour(
    app: Flask, owner: int, mailbox: ScriptedMailServer, seconds: int, status: int
) -> None:
    path = get_link(app, mailbox)
    with app.app_context():
        link = db.session.scalars(select(AccountLink)).one()
        assert link.expires_at - link.created_at == timedelta(hours=1)
        link.expires_at = database_clock.now() + timedelta(seconds=30 * seconds)
        db.session.commit()

    assert Visitor.anonymous(app).get(path).status_code == status


@on_both_databases
def test_the_worker_deletes_links_that_have_ended(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    get_link(app, mailbox)
    with app.app_context():
        now = database_clock.now()
        delete_expired_account_links(now + timedelta(minutes=59))
        left = len(db.session.scalars(select(AccountLink)).all())
        delete_expired_account_links(now + timedelta(minutes=61))
        assert (left, db.session.scalars(select(AccountLink)).all()) == (1, [])


@pytest.mark.parametrize("token", ["x" * 32, "x", "x" * 31 + "%00", "%F0%9F%94%94", "..;", "x" * 5000])
def test_unknown_links_get_the_same_page_as_ended_ones(
    app: Flask, owner: int, mailbox: ScriptedMailServer, token: str
) -> None:
    path = get_link(app, mailbox)
    set_password(open_link(app, path))
    ended = Visitor.anonymous(app).get(path)

    unknown = Visitor.anonymous(app).get(f"/reset-password/{token}")

    assert (unknown.status_code, ended.status_code) == (404, 404)
    assert ENDED in unknown.text
    assert _main(unknown.text) == _main(ended.text)


def _main(text: str) -> str:
    return text.partition("<main")[2]


@on_both_databases
def test_the_link_of_a_disabled_account_does_not_work(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    visitor = open_link(app, get_link(app, mailbox))
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == owner).values(is_active=False))
        db.session.commit()

    assert set_password(visitor).status_code == 404


@pytest.mark.parametrize("password", ["short", "owner owner owner", "harbor logistics", ""])
def test_a_weak_password_is_refused_and_the_link_still_works(
    app: Flask, owner: int, mailbox: ScriptedMailServer, password: str
) -> None:
    visitor = open_link(app, get_link(app, mailbox))

    refused = set_password(visitor, password)

    assert refused.status_code == 400
    assert can_sign_in(app, PASSWORD)
    assert set_password(visitor).status_code == 303


# What a new password ends and tells


@on_both_databases
def test_a_new_password_ends_all_sessions_and_verifies_the_address(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    elsewhere = Visitor.signed_in(app, owner)
    visitor = open_link(app, get_link(app, mailbox))

    set_password(visitor)

    assert elsewhere.get("/account").status_code == 302
    assert read_account(app, owner).email_verified_at is not None
    with app.app_context():
        assert len(db.session.scalars(select(SignIn).where(SignIn.account_id == owner)).all()) == 1
        assert db.session.scalars(select(AccountLink)).all() == []


@on_both_databases
def test_a_link_of_an_instance_admin_proves_no_address(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mailed = get_link(app, mailbox)
    with app.app_context():
        token = make_reset_link(db.session.get_one(Account, owner), database_clock.now(), Actor(None, "Ada"))
        db.session.commit()

    set_password(open_link(app, f"/reset-password/{token}"))

    assert read_account(app, owner).email_verified_at is None
    assert Visitor.anonymous(app).get(mailed).status_code == 404
    assert ("Ada", "made a link for a new password") in read_events(app)


def test_a_mailed_link_proves_no_other_address(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    path = get_link(app, mailbox)
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == owner).values(email="other@example.com"))
        db.session.commit()

    set_password(open_link(app, path))

    assert read_account(app, owner).email_verified_at is None


def test_the_audit_trail_tells_all_of_it(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    set_password(open_link(app, get_link(app, mailbox)))

    assert read_events(app)[-4:] == [
        ("Unknown visitor", "requested a link for a new password"),
        ("Owner", "confirmed the email address"),
        ("Owner", "set a new password by a link"),
        ("Owner", "signed in"),
    ]


def test_the_owner_is_told_that_the_password_was_changed(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    set_password(open_link(app, get_link(app, mailbox)))
    deliver_mails(app)

    mail = read_mails(mailbox)[-1]
    assert (mail["To"], mail["Subject"]) == (OWNER, "Your Alertcheck password was changed")
    assert "ask your Alertcheck administrator" in read_text(mail)


def test_a_change_of_the_password_ends_the_links_and_is_told(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    path = get_link(app, mailbox)

    Visitor.signed_in(app, owner).post("/password", {"current": PASSWORD, "new": NEW_PASSWORD})
    deliver_mails(app)

    assert Visitor.anonymous(app).get(path).status_code == 404
    assert read_mails(mailbox)[-1]["Subject"] == "Your Alertcheck password was changed"


def test_links_lead_to_the_public_url_whatever_the_request_says(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    visitor = Visitor.anonymous(app)
    visitor.get("/forgot-password")
    visitor.post("/forgot-password", {"email": OWNER}, headers={"X-Forwarded-Host": "evil.example"})
    deliver_mails(app)

    assert "evil.example" not in read_text(read_mails(mailbox)[-1])
    assert len(find_paths(mailbox)) == 1
