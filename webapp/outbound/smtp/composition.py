"""Composes email: the headers that every message has, and its text in two forms."""

from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy

from webapp.outbound.smtp.mail_server import MailServer

# Characters that fit on one line (RFC 5322, section 2.1.1).
MAX_PLAIN_SUBJECT_LENGTH = 78 - len("Subject: ")


class SubjectHeader(str):
    """A subject that EmailMessage does not decode.

    EmailMessage decodes encoded words (RFC 2047) in plain text, including encoded line breaks.
    It leaves a value with a `name` and a `fold` as it is.
    """

    name = "Subject"

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the lines of the header in ASCII."""
        plain = self.isascii() and self.isprintable() and "=?" not in self and len(self) <= MAX_PLAIN_SUBJECT_LENGTH
        text = str(self) if plain else Header(self, "utf-8", header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {text}{policy.linesep}"


def compose_mail(
    server: MailServer,
    recipients: Sequence[str],
    subject: str,
    date: datetime,
    message_id: str,
    text: str,
    html: str,
    *,
    is_automatic: bool = True,
) -> EmailMessage:
    """Compose a message. message_id: without its domain. is_automatic: prevent out-of-office replies (RFC 3834)."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["Subject"] = SubjectHeader(subject)
    mail["From"] = server.from_header
    mail["To"] = ", ".join(recipients)
    mail["Date"] = date
    # The same for every attempt, so that a mailbox that received two copies can show one.
    mail["Message-ID"] = f"<{message_id}@{server.sender.rpartition('@')[2]}>"
    if is_automatic:
        mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail
