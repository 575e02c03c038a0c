"""Reads the mails that a scripted mail server received, and does a worker's work on mails in this process."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from flask import Flask

from tests.scripted_mail_server import ScriptedMailServer
from webapp.account_mail.worker_rounds import recover_account_mails
from webapp.models import database_clock
from webapp.worker.account_mails import send_mail

PUBLIC_URL = "https://alertcheck.example"


def mail_settings(server: ScriptedMailServer) -> dict[str, str]:
    """Return the settings of an installation that sends its mail through this server."""
    return {
        "ALERTCHECK_MAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "ALERTCHECK_MAIL_FROM": "Alertcheck <alertcheck@example.org>",
        "ALERTCHECK_PUBLIC_URL": PUBLIC_URL,
    }


def deliver_mails(app: Flask) -> None:
    """Send every mail that is due, as a worker does."""
    with app.app_context():
        due = recover_account_mails(database_clock.now())
    for mail_id in due:
        send_mail(app, mail_id)


def read_mails(server: ScriptedMailServer) -> list[EmailMessage]:
    """Return the received mails, oldest first."""
    return [message_from_bytes(message, policy=default) for message in server.messages]


def read_text(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def find_paths(server: ScriptedMailServer) -> list[str]:
    """Return the paths of the links in the received mails that have one."""
    link = re.compile(rf"{re.escape(PUBLIC_URL)}(/\S+)")
    return [found[1] for mail in read_mails(server) if (found := link.search(read_text(mail)))]
