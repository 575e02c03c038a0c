"""Mails to people, from the request to the mail server: at most one, with a link that only the mail contains."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import OWNER, SeededIds, add_owner, on_both_databases
from tests.mailbox import PUBLIC_URL, deliver_mails, find_paths, mail_settings, read_mails, read_text
from tests.recorded_rows import add_once
from tests.scripted_mail_server import HANG_UP, ScriptedMailServer
from webapp.account_mail import sending
from webapp.account_mail.outcome import LIFETIME, describe_mail
from webapp.account_mail.requesting import enqueue_mail, request_mail
from webapp.account_mail.worker_rounds import KEPT_FOR, REQUEUE_AFTER, recover_account_mails
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.auth.password_reset import find_resetting_account, request_reset
from webapp.extensions import db
from webapp.models import AccountLink, AccountMail, AccountMailKind, AccountMailStatus, database_clock
from webapp.presses.limit_counters import admit_recipient
from webapp.worker.account_mails import send_mail
from webapp.worker.mail_composers import COMPOSERS


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    return add_once(app, lambda: add_owner(seeded), "owner")


def request_check(app: Flask, account_id: int) -> int:
    with app.app_context():
        mail_id = request_mail(AccountMailKind.CHECK, database_clock.now(), account_id=account_id).id
        db.session.commit()
        return mail_id


def request_link(app: Flask, email: str = "owner@example.com") -> int:
    with app.app_context():
        return request_reset(email, database_clock.now())


def read_mail(app: Flask, mail_id: int) -> AccountMail:
    with app.app_context():
        mail = db.session.get_one(AccountMail, mail_id)
        db.session.expunge(mail)
        return mail


def age(app: Flask, by: timedelta, *columns: str) -> None:
    """Let all mails have happened earlier."""
    with app.app_context():
        earlier = {column: getattr(AccountMail, column) for column in columns}
        for mail in db.session.scalars(select(AccountMail)):
            values = {name: value - by for name in earlier if (value := getattr(mail, name)) is not None}
            db.session.execute(update(AccountMail).where(AccountMail.id == mail.id).values(values))
        db.session.commit()


@contextmanager
def dying_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Iterator[None]:
    """Let the worker's process end when it gets to a step: nothing after it happens, no handler runs."""

    def die(*_arguments: object, **_keywords: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(KeyboardInterrupt):
            yield


@on_both_databases
def test_a_mail_is_sent_to_the_accounts_address(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mail_id = request_check(app, owner)

    deliver_mails(app)

    (mail,) = read_mails(mailbox)
    assert (mail["To"], mail["Auto-Submitted"]) == ("owner@example.com", "auto-generated")
    assert mail["From"] == "Alertcheck <alertcheck@example.org>"
    assert PUBLIC_URL in read_text(mail)
    assert read_mail(app, mail_id).status is AccountMailStatus.SENT


@on_both_databases
def test_two_jobs_for_one_mail_send_it_once(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mail_id = request_check(app, owner)

    send_mail(app, mail_id)
    send_mail(app, mail_id)

    assert len(mailbox.messages) == 1


@on_both_databases
def test_the_link_is_made_by_the_worker_and_stands_in_the_mail_alone(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    request_link(app)
    with app.app_context():
        assert db.session.scalars(select(AccountLink)).all() == []

    deliver_mails(app)

    (path,) = find_paths(mailbox)
    token = path.rpartition("/")[2]
    with app.app_context():
        link = db.session.scalars(select(AccountLink)).one()
        assert token not in repr([getattr(link, column.name) for column in AccountLink.__table__.columns])
        account = find_resetting_account(token, database_clock.now())
        assert account is not None
        assert account.id == owner


@on_both_databases
@pytest.mark.parametrize(
    "email", ["nobody@example.com", "support@example.com", "not an address", "ops@münchen.example"]
)
def test_nothing_is_sent_to_an_address_without_a_password(
    app: Flask, owner: int, mailbox: ScriptedMailServer, email: str
) -> None:
    mail_id = request_link(app, email)

    deliver_mails(app)

    mail = read_mail(app, mail_id)
    assert (mailbox.commands, mail.status, mail.address) == ([], AccountMailStatus.CANCELED, None)


def test_a_typed_address_is_stored_encrypted_and_only_until_the_mail_has_ended(app: Flask, owner: int) -> None:
    mail_id = request_link(app)
    stored = read_mail(app, mail_id).address

    deliver_mails(app)

    assert stored is not None
    assert "owner" not in stored
    assert read_mail(app, mail_id).address is None


@on_both_databases
@pytest.mark.parametrize(
    ("owner_of_step", "step"),
    [(sending, "_prepare"), (sending, "write_mail"), (sending, "send_mail"), (sending, "_record")],
)
def test_a_worker_that_dies_after_the_claim_sends_nothing_twice(
    app: Flask,
    owner: int,
    mailbox: ScriptedMailServer,
    monkeypatch: pytest.MonkeyPatch,
    owner_of_step: Any,
    step: str,
) -> None:
    mail_id = request_link(app)
    with dying_at(monkeypatch, owner_of_step, step):
        send_mail(app, mail_id)
    sent = len(mailbox.messages)

    age(app, sending.LOST_AFTER, "claimed_at", "created_at", "enqueued_at")
    deliver_mails(app)
    send_mail(app, mail_id)

    mail = read_mail(app, mail_id)
    assert (len(mailbox.messages), mail.status, mail.error_code) == (sent, AccountMailStatus.FAILED, "worker_lost")
    assert "does not know" in describe_mail(mail, mail.created_at).sentence


@on_both_databases
def test_a_worker_that_dies_before_the_claim_is_committed_leaves_the_mail_to_another(
    app: Flask, owner: int, mailbox: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_id = request_link(app)
    with dying_at(monkeypatch, db.session, "commit"):
        send_mail(app, mail_id)

    deliver_mails(app)

    assert (len(mailbox.messages), read_mail(app, mail_id).attempt_count) == (1, 1)


@on_both_databases
def test_a_live_attempt_is_neither_repeated_nor_taken_for_lost(
    app: Flask, owner: int, mailbox: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_id = request_link(app)
    with dying_at(monkeypatch, sending, "send_mail"):
        send_mail(app, mail_id)

    age(app, sending.LOST_AFTER - timedelta(seconds=5), "claimed_at")
    deliver_mails(app)
    send_mail(app, mail_id)

    assert (mailbox.commands, read_mail(app, mail_id).status) == ([], AccountMailStatus.QUEUED)


@on_both_databases
def test_the_worker_finds_a_mail_that_was_never_enqueued(app: Flask, owner: int) -> None:
    mail_id = request_link(app)

    with app.app_context():
        now = database_clock.now()
        first, second = recover_account_mails(now), recover_account_mails(now + REQUEUE_AFTER / 2)
        third = recover_account_mails(now + REQUEUE_AFTER)

    assert ([*first], [*second], [*third]) == ([mail_id], [], [mail_id])


def test_a_request_does_without_the_queue_server(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    without_queue = create_app(replace(app_state(app).settings, redis_url="redis://127.0.0.1:1"))
    mail_id = request_link(without_queue)
    with without_queue.app_context():
        enqueue_mail(mail_id)
        db.engine.dispose()

    deliver_mails(app)

    assert len(mailbox.messages) == 1


@on_both_databases
def test_a_mail_that_no_worker_takes_expires_and_says_so(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mail_id = request_link(app)
    age(app, LIFETIME, "created_at")

    send_mail(app, mail_id)
    shown_before = describe_mail(read_mail(app, mail_id), read_mail(app, mail_id).created_at + LIFETIME)
    deliver_mails(app)

    mail = read_mail(app, mail_id)
    shown = describe_mail(mail, mail.created_at + LIFETIME)
    assert (mailbox.commands, mail.status, mail.error_code) == ([], AccountMailStatus.FAILED, "not_started")
    assert shown.sentence == shown_before.sentence == "No worker picked up the mail in time, so it was not sent."
    assert shown.next_step == "Ask your Alertcheck administrator whether a worker is running, then try again."


@on_both_databases
def test_a_mail_that_the_server_puts_off_is_tried_again(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mailbox.script["RCPT"] = ["451 4.7.1 greylisted", "250 ok"]
    mail_id = request_link(app)

    deliver_mails(app)
    put_off = read_mail(app, mail_id)
    deliver_mails(app)
    tried_early = mailbox.verbs.count("RCPT")
    age(app, sending.RETRY_DELAYS[0], "send_after", "created_at")
    deliver_mails(app)

    assert (put_off.status, put_off.error_code, tried_early) == (AccountMailStatus.QUEUED, "smtp_temporary", 1)
    assert "Alertcheck tries again." in describe_mail(put_off, put_off.created_at).sentence
    assert (read_mail(app, mail_id).status, len(mailbox.messages)) == (AccountMailStatus.SENT, 1)


@on_both_databases
def test_a_mail_that_may_have_arrived_is_not_sent_again(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mailbox.script["END"] = HANG_UP
    mail_id = request_link(app)

    deliver_mails(app)
    deliver_mails(app)

    assert read_mail(app, mail_id).status is AccountMailStatus.FAILED
    assert len(mailbox.messages) == 1


def test_a_refused_mail_says_why_and_what_to_do(app: Flask, owner: int, mailbox: ScriptedMailServer) -> None:
    mailbox.script["MAIL"] = "530 5.7.1 Client was not authenticated"
    mail_id = request_check(app, owner)

    deliver_mails(app)

    mail = read_mail(app, mail_id)
    shown = describe_mail(mail, mail.created_at)
    assert mail.error_code == "smtp_sign_in_required"
    assert "accepts no mail without a sign-in" in shown.sentence
    assert shown.next_step is not None
    assert "ALERTCHECK_MAIL_URL" in shown.next_step


def test_of_many_mails_that_are_claimed_at_once_the_first_one_is_sent(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    with app.app_context():
        now = database_clock.now()
        kind = AccountMailKind.CONFIRMATION
        first, *others = [request_mail(kind, now, account_id=owner).id for _ in range(sending.MAX_PER_HOUR + 3)]
        claimed = update(AccountMail).where(AccountMail.id.in_(others))
        db.session.execute(claimed.values(claimed_at=now, attempt_count=1))
        db.session.commit()

    deliver_mails(app)

    assert (read_mail(app, first).status, len(mailbox.messages)) == ("sent", 1)


def test_an_account_gets_few_mails_of_a_kind_in_an_hour_and_keeps_its_last_link(
    app: Flask, owner: int, mailbox: ScriptedMailServer
) -> None:
    for _ in range(sending.MAX_PER_HOUR):
        request_link(app)
        deliver_mails(app)
    last = find_paths(mailbox)[-1]
    mail_id = request_link(app)
    deliver_mails(app)

    assert (read_mail(app, mail_id).error_code, len(mailbox.messages)) == ("recipient_limit", sending.MAX_PER_HOUR)
    with app.app_context():
        assert find_resetting_account(last.rpartition("/")[2], database_clock.now()) is not None


@pytest.mark.parametrize("first", [AccountMailKind.RESET, AccountMailKind.CHECK])
def test_mails_count_against_the_recipients_limit(
    app: Flask, owner: int, mailbox: ScriptedMailServer, first: AccountMailKind
) -> None:
    use_up_limit(app, spare=1)
    with app.app_context():
        kinds = (first, AccountMailKind.CHECK)
        mail_ids = [request_mail(kind, database_clock.now(), account_id=owner).id for kind in kinds]
        db.session.commit()

    deliver_mails(app)

    assert [read_mail(app, mail_id).error_code for mail_id in mail_ids] == [None, "recipient_limit"]


@pytest.mark.parametrize("kind", [AccountMailKind.RESET, AccountMailKind.CONFIRMATION, AccountMailKind.CHANGED])
def test_tests_to_an_address_keep_its_owner_from_no_mail_about_the_account(
    app: Flask, owner: int, mailbox: ScriptedMailServer, kind: AccountMailKind
) -> None:
    use_up_limit(app)
    with app.app_context():
        mail_id = request_mail(kind, database_clock.now(), account_id=owner).id
        db.session.commit()

    deliver_mails(app)

    assert (read_mail(app, mail_id).status, len(mailbox.messages)) == (AccountMailStatus.SENT, 1)


def use_up_limit(app: Flask, spare: int = 0) -> None:
    """Count as many tests to the owner's address as a minute has. spare: how many fewer."""
    with app.app_context():
        limit = app_state().settings.send_limits.per_recipient
        assert [admit_recipient(OWNER) for _ in range(limit - spare)] == [True] * (limit - spare)


def test_an_unexpected_error_is_recorded_without_its_text(
    app: Flask, owner: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise ValueError("canary-token")

    monkeypatch.setattr(sending, "write_mail", fail)
    mail_id = request_link(app)

    deliver_mails(app)

    mail = read_mail(app, mail_id)
    assert mail.error_code == "internal_error"
    assert "canary-token" not in caplog.text + (mail.error_message or "")


@on_both_databases
def test_the_outcome_is_kept_for_a_while(app: Flask, owner: int) -> None:
    request_check(app, owner)
    deliver_mails(app)

    age(app, KEPT_FOR - timedelta(minutes=1), "ended_at", "created_at")
    deliver_mails(app)
    with app.app_context():
        kept = len(db.session.scalars(select(AccountMail)).all())
    age(app, timedelta(minutes=1), "ended_at", "created_at")
    deliver_mails(app)

    with app.app_context():
        assert (kept, db.session.scalars(select(AccountMail)).all()) == (1, [])


def test_every_kind_has_a_composer() -> None:
    assert set(AccountMailKind) == set(COMPOSERS)


def test_nothing_is_locked_while_no_mail_waits(
    app: Flask, seeded: SeededIds, count_queries: Callable[[], Any], context: None
) -> None:
    with count_queries() as statements:
        assert recover_account_mails(database_clock.now()) == ()

    assert [statement.split()[0] for statement in statements] == ["SELECT"]
