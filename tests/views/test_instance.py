"""The page of the installation: its problems, its workers, and the mail check."""

import re

import pytest
from flask import Flask
from sqlalchemy import update

from tests.factories import SeededIds
from tests.mailbox import deliver_mails, mail_settings, read_mails
from tests.scripted_mail_server import ScriptedMailServer
from tests.visitor import Visitor
from webapp import queue
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import Account


def sign_in_as_instance_admin(app: Flask, account_id: int) -> Visitor:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == account_id).values(is_instance_admin=True))
        db.session.commit()
    return Visitor.signed_in(app, account_id)


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    """The instance admin, who is the viewer of the harbor."""
    return sign_in_as_instance_admin(app, seeded.viewer)


def test_the_page_names_what_does_not_work_and_what_to_do(admin: Visitor) -> None:
    page = admin.get("/instance").text

    assert "No test is sent. No worker has sent a heartbeat" in page
    assert f"<b>Next:</b> Check that {COMMAND} worker runs, and read its log." in page
    assert "No mail server is set up" in page


def test_the_page_of_an_installation_that_works_says_so(app: Flask, admin: Visitor) -> None:
    with app.app_context():
        queue.record_heartbeat("host:1")
    page = admin.get("/instance").text

    assert "No problem was found." in page
    assert "<code>host:1</code>: works, last heartbeat" in page
    assert "No test is waiting to be sent." in page


def test_without_a_mail_server_no_mail_check_is_offered(admin: Visitor) -> None:
    assert "Send me a mail" not in admin.get("/instance").text
    assert admin.post("/instance/mail-check").status_code == 404


class TestWithMail:
    """An installation that can send mail."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
        return environment | mail_settings(mailbox)

    def test_the_mail_check_polls_until_the_mail_was_sent(
        self, app: Flask, admin: Visitor, mailbox: ScriptedMailServer
    ) -> None:
        assert admin.post("/instance/mail-check").location == "/instance#mail-check"
        waiting = admin.get("/instance/mail-check").text
        deliver_mails(app)
        ended = admin.get("/instance/mail-check").text

        assert "hx-trigger" in waiting
        assert "Send me a mail" not in waiting
        assert "hx-trigger" not in ended
        assert "The mail server accepted the mail. It went to <bdi>viewer@example.com</bdi>." in ended
        assert [mail["To"] for mail in read_mails(mailbox)] == ["viewer@example.com"]

    def test_a_mail_that_is_refused_is_explained_with_the_next_step(
        self, app: Flask, admin: Visitor, mailbox: ScriptedMailServer
    ) -> None:
        mailbox.script["MAIL"] = "530 5.7.1 Client was not authenticated"
        admin.post("/instance/mail-check")
        deliver_mails(app)
        page = admin.get("/instance").text

        assert "The mail could not be sent." in page
        assert re.search(r"<b>Next:</b> [^<]*ALERTCHECK_MAIL_URL", page)

    def test_another_instance_admin_does_not_see_the_outcome(
        self, app: Flask, seeded: SeededIds, admin: Visitor
    ) -> None:
        admin.post("/instance/mail-check")
        other = sign_in_as_instance_admin(app, seeded.support)

        assert "The mail is being sent" not in other.get("/instance").text

    def test_few_mails_can_be_requested(self, admin: Visitor) -> None:
        statuses = [admin.post("/instance/mail-check").status_code for _ in range(11)]

        assert statuses == [303] * 10 + [429]

    def test_links_for_new_passwords_begin_with_the_address_of_the_installation(
        self, seeded: SeededIds, admin: Visitor
    ) -> None:
        page = admin.post(f"/instance/accounts/{seeded.support}/reset-link").text

        assert re.search(r'<code id="link">https://alertcheck\.example/reset-password/', page)
