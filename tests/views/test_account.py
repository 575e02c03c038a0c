"""One's own account: the address and its confirmation, and the sessions."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import OperationalError

from tests.factories import OWNER, PASSWORD, SeededIds, on_both_databases
from tests.mailbox import deliver_mails, find_paths, mail_settings
from tests.scripted_mail_server import ScriptedMailServer
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.auth import own_sessions
from webapp.auth.account_links import add_link
from webapp.auth.own_sessions import ACCOUNT_PRECISION, SESSION_PRECISION
from webapp.extensions import db
from webapp.models import Account, AccountLinkKind, AuditEvent, SignIn, database_clock

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

CountQueries = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


def read_account(app: Flask, account_id: int) -> Account:
    with app.app_context():
        account = db.session.get_one(Account, account_id)
        db.session.expunge(account)
        return account


def read_sessions(app: Flask, account_id: int) -> list[SignIn]:
    with app.app_context():
        sessions = list(db.session.scalars(select(SignIn).where(SignIn.account_id == account_id)))
        db.session.expunge_all()
        return sessions


def find_keys(visitor: Visitor) -> list[str]:
    return re.findall(r"/account/sessions/(\w{32})/end", visitor.get("/account").text)


def age_sessions(app: Flask, by: timedelta) -> None:
    with app.app_context():
        now = database_clock.now()
        db.session.execute(update(SignIn).values(last_seen_at=now - by))
        db.session.execute(update(Account).values(last_seen_at=now - by))
        db.session.commit()


def confirm(app: Flask, visitor: Visitor, mailbox: ScriptedMailServer) -> str:
    """Have a link mailed to a visitor's address, and return its path."""
    visitor.post("/account/confirmation")
    deliver_mails(app)
    return find_paths(mailbox)[-1]


# The address


@on_both_databases
def test_a_mailed_link_confirms_the_address(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    visitor = Visitor.signed_in(app, owner)
    before = visitor.get("/account").text
    path = confirm(app, visitor, mailbox)

    opened = visitor.get(path)
    shown = visitor.get(opened.headers["Location"])
    unchanged = read_account(app, owner).email_verified_at
    visitor.post("/account/confirm")

    assert (opened.headers["Location"], opened.headers["Referrer-Policy"]) == ("/account/confirm", "no-referrer")
    assert "Confirm this address" in before
    assert OWNER in shown.text
    assert unchanged is None
    assert read_account(app, owner).email_verified_at is not None
    assert "Confirm this address" not in visitor.get("/account").text


def test_a_confirmation_works_once(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    visitor = Visitor.signed_in(app, owner)
    path = confirm(app, visitor, mailbox)
    visitor.get(path)
    visitor.post("/account/confirm")

    assert (visitor.get(path).status_code, visitor.post("/account/confirm").status_code) == (404, 404)


def test_nobody_confirms_the_address_of_another_account(
    app: Flask, owner: int, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    path = confirm(app, Visitor.signed_in(app, owner), mailbox)
    other = Visitor.signed_in(app, seeded.support)

    statuses = [other.get(path).status_code, other.post("/account/confirm").status_code]
    signed_out = Visitor.anonymous(app).get(path)

    assert statuses == [404, 404]
    assert signed_out.headers["Location"].startswith("/sign-in?next=")
    assert read_account(app, owner).email_verified_at is None


def test_a_link_for_a_password_confirms_nothing(app: Flask, owner: int) -> None:
    with app.app_context():
        account = db.session.get_one(Account, owner)
        token = add_link(account, AccountLinkKind.RESET, database_clock.now(), is_mailed=True)
        db.session.commit()

    assert Visitor.signed_in(app, owner).get(f"/account/confirm/{token}").status_code == 404


def test_the_page_follows_the_mail_and_says_why_it_failed(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mailbox.script["RCPT"] = "550 5.1.1 unknown"
    visitor = Visitor.signed_in(app, owner)
    visitor.post("/account/confirmation")
    waiting = visitor.get("/account/address").text
    deliver_mails(app)
    failed = visitor.get("/account/address").text

    assert 'hx-trigger="load delay:2s"' in waiting
    assert "The mail could not be sent." in failed
    assert "Check the spelling of the address" in failed
    assert "hx-trigger" not in failed


def test_a_confirmed_account_requests_no_mail(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    with app.app_context():
        db.session.execute(update(Account).values(email_verified_at=database_clock.now()))
        db.session.commit()

    Visitor.signed_in(app, owner).post("/account/confirmation")
    deliver_mails(app)

    assert mailbox.messages == []


# The sessions


def test_a_session_shows_its_browser_and_a_masked_address(app: Flask, owner: int) -> None:
    visitor = Visitor.anonymous(app)
    remote = {"REMOTE_ADDR": "203.0.113.77"}
    headers = {"User-Agent": FIREFOX}
    visitor.post("/sign-in", {"email": OWNER, "password": PASSWORD}, headers=headers, environ_overrides=remote)

    page = visitor.get("/account").text

    assert "Firefox on Linux" in page
    assert "203.0.113.x" in page
    assert "203.0.113.77" not in page
    assert page.count("this session") == 1


def test_no_page_contains_the_id_of_a_session(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)

    page = visitor.get("/account").text

    assert [session.id for session in read_sessions(app, owner) if session.id in page] == []


@on_both_databases
def test_one_session_can_be_ended(app: Flask, owner: int) -> None:
    visitor, other = Visitor.signed_in(app, owner), Visitor.signed_in(app, owner)
    key = find_keys(visitor)[1]

    visitor.post(f"/account/sessions/{key}/end")

    assert (visitor.get("/account").status_code, other.get("/account").status_code) == (200, 302)


def test_ending_this_session_signs_out(app: Flask, owner: int) -> None:
    visitor, other = Visitor.signed_in(app, owner), Visitor.signed_in(app, owner)

    visitor.post(f"/account/sessions/{find_keys(visitor)[0]}/end")

    assert (visitor.get("/account").status_code, other.get("/account").status_code) == (302, 200)


@on_both_databases
def test_all_other_sessions_can_be_ended(app: Flask, owner: int, seeded: SeededIds) -> None:
    foreign = Visitor.signed_in(app, seeded.support)
    visitor, *others = [Visitor.signed_in(app, owner) for _ in range(3)]

    visitor.post("/account/sessions/end-others")

    assert [other.get("/account").status_code for other in others] == [302, 302]
    assert (visitor.get("/account").status_code, foreign.get("/account").status_code) == (200, 200)
    with app.app_context():
        ended = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert ended is not None
        assert (ended.action, ended.changed) == ("ended all other sessions", ["2"])


def test_a_foreign_session_is_not_found_and_lives_on(app: Flask, owner: int, seeded: SeededIds) -> None:
    foreign = Visitor.signed_in(app, seeded.support)
    (key,) = find_keys(foreign)
    visitor = Visitor.signed_in(app, owner)

    foreign_response = visitor.post(f"/account/sessions/{key}/end")
    unknown_response = visitor.post(f"/account/sessions/{'0' * 32}/end")

    assert (foreign_response.status_code, unknown_response.status_code) == (404, 404)
    assert foreign_response.text == unknown_response.text
    assert foreign.get("/account").status_code == 200


# When a session was last seen


@on_both_databases
def test_a_session_is_noted_as_seen_once_in_some_minutes(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, SESSION_PRECISION + timedelta(seconds=1))
    old = read_sessions(app, owner)[0].last_seen_at

    visitor.get("/workspaces")
    first = read_sessions(app, owner)[0].last_seen_at
    visitor.get("/workspaces")

    assert old is not None
    assert first is not None
    assert first > old
    assert read_sessions(app, owner)[0].last_seen_at == first


@on_both_databases
def test_an_account_is_noted_as_seen_once_an_hour(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, ACCOUNT_PRECISION - timedelta(minutes=1))
    old = read_account(app, owner).last_seen_at
    visitor.get("/workspaces")
    kept = read_account(app, owner).last_seen_at
    age_sessions(app, ACCOUNT_PRECISION + timedelta(minutes=1))
    visitor.get("/workspaces")
    noted = read_account(app, owner).last_seen_at

    assert (kept, old is not None) == (old, True)
    assert noted is not None
    assert datetime.now(UTC) - noted < timedelta(minutes=1)


def test_a_poll_of_a_session_seen_lately_changes_nothing(app: Flask, owner: int, count_queries: CountQueries) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, SESSION_PRECISION - timedelta(seconds=30))

    with count_queries() as statements:
        visitor.get("/w/harbor/destinations/1/status")

    assert [statement for statement in statements if not statement.startswith("SELECT")] == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_locked_row_is_not_waited_for(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, SESSION_PRECISION)
    with app.app_context(), db.engine.connect() as holder:
        holder.execute(text("SELECT 1 FROM sign_ins FOR UPDATE"))
        holder.execute(text("SELECT 1 FROM accounts FOR UPDATE"))

        status = visitor.get("/workspaces").status_code
        holder.rollback()

    has_waited_in_vain = app_state(app).seen_paused_until > 0
    assert (status, has_waited_in_vain) == (200, False)


def test_a_page_is_shown_while_another_writer_holds_sqlite(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, SESSION_PRECISION)
    with app.app_context(), db.engine.connect() as holder:
        holder.execute(text("BEGIN IMMEDIATE"))

        status = visitor.get("/workspaces").status_code
        holder.rollback()

    assert status == 200


def test_pages_work_where_the_database_accepts_no_changes_and_it_is_not_asked_again_at_once(
    app: Flask, owner: int, count_queries: CountQueries
) -> None:
    visitor = Visitor.signed_in(app, owner)
    age_sessions(app, SESSION_PRECISION)

    def refuse(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE"):
            raise OperationalError(statement, {}, Exception("read-only"))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", refuse)
    first = visitor.get("/workspaces").status_code
    with count_queries() as statements:
        second = visitor.get("/workspaces").status_code
    event.remove(engine, "before_cursor_execute", refuse)

    assert (first, second) == (200, 200)
    assert [statement for statement in statements if statement.startswith("UPDATE")] == []


def test_a_session_of_an_earlier_version_shows_when_it_began(app: Flask, owner: int) -> None:
    visitor = Visitor.signed_in(app, owner)
    with app.app_context():
        db.session.execute(update(SignIn).values(last_seen_at=None, browser=None, client=None))
        db.session.commit()
        account = db.session.get_one(Account, owner)
        account.sign_in_id = None
        (shown,) = own_sessions.list_sessions(account, database_clock.now())

    assert shown.first_seen == shown.last_seen
    assert "Unknown browser" in visitor.get("/account").text
