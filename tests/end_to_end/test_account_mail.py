"""A link for a new password with real processes and a real mail server: sent once, and its token is nowhere else."""

import os
from pathlib import Path
from signal import SIGKILL

import pytest
from flask import Flask
from sqlalchemy import select, update

from benchmarks.installation.processes import Session, Stack, wait_until
from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.search_places import read_queue
from tests.factories import on_both_databases
from tests.mailbox import find_paths, mail_settings, read_mails
from tests.scripted_mail_server import KEEP_SILENT, ScriptedMailServer
from webapp.account_mail.sending import LOST_AFTER
from webapp.demo.supervisor.processes import session_members
from webapp.extensions import Base, db
from webapp.models import AccountMail, AccountMailStatus

pytestmark = pytest.mark.slow

NEW_PASSWORD = "violet ladder quantum meadow"


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


def ask_for_link(web: Session, email: str) -> None:
    web.get("/forgot-password")
    assert "Check your mail" in web.post("/forgot-password", {"email": email}).text


def read_mail(app: Flask) -> AccountMail:
    with app.app_context():
        mail = db.session.scalars(select(AccountMail).order_by(AccountMail.id)).first()
        assert mail is not None
        db.session.expunge(mail)
        return mail


def read_rows(app: Flask) -> bytes:
    with app.app_context():
        rows = [db.session.execute(select(table)).all() for table in Base.metadata.sorted_tables]
        return repr(rows).encode()


@on_both_databases
def test_a_link_is_mailed_used_and_found_nowhere_else(
    app: Flask,
    stack: Stack,
    owner: tuple[str, str],
    mailbox: ScriptedMailServer,
    queue_server: QueueServer,
    tmp_path: Path,
) -> None:
    web = stack.start_web()
    ask_for_link(web, owner[0])
    queued = read_queue(queue_server)
    stack.start_worker(processes=1)
    wait_until(lambda: mailbox.messages)
    wait_until(lambda: read_mail(app).status is AccountMailStatus.SENT)
    (path,) = find_paths(mailbox)
    token = path.rpartition("/")[2].encode()
    before = read_rows(app) + read_queue(queue_server)

    web.get(path)
    signed_in = web.post("/reset-password", {"new": NEW_PASSWORD, "link": token.decode()})
    wait_until(lambda: len(mailbox.messages) == 2)
    used = read_rows(app) + read_queue(queue_server)

    assert "Your new password is set." in signed_in.text
    assert read_mails(mailbox)[1]["Subject"] == "Your Alertcheck password was changed"
    assert b"dispatch_account_mails" in queued
    logs = b"".join(file.read_bytes() for file in (tmp_path / "logs").iterdir())
    assert b"account mail" in logs
    assert [place for place in (queued, before, used, logs) if token in place or NEW_PASSWORD.encode() in place] == []
    assert owner[0].encode() not in queued + logs


@on_both_databases
def test_a_worker_that_is_killed_while_the_mail_server_has_the_mail_sends_it_once(
    app: Flask, stack: Stack, owner: tuple[str, str], mailbox: ScriptedMailServer
) -> None:
    mailbox.script["END"] = [KEEP_SILENT, "250 ok"]
    worker = stack.start_worker(processes=1)
    ask_for_link(stack.start_web(), owner[0])
    wait_until(lambda: mailbox.messages)
    for pid in session_members(worker.pid):
        os.kill(pid, SIGKILL)
    assert read_mail(app).status is AccountMailStatus.QUEUED
    with app.app_context():
        claimed_at = read_mail(app).claimed_at
        assert claimed_at is not None
        db.session.execute(update(AccountMail).values(claimed_at=claimed_at - LOST_AFTER))
        db.session.commit()

    stack.start_worker(processes=1)
    wait_until(lambda: read_mail(app).status is AccountMailStatus.FAILED)

    assert (read_mail(app).error_code, len(mailbox.messages)) == ("worker_lost", 1)
