"""Sends one message through the configured mail server, and returns exactly what that server accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from time import monotonic

from webapp.failures import Code, DeliveryFailed
from webapp.outbound.smtp.mail_server import MailSecurity, MailServer, is_mail_address, parse_mail_url
from webapp.outbound.smtp.session import SmtpSession
from webapp.outbound.transport.deadline import Deadline

__all__ = ["MailResponse", "MailSecurity", "MailServer", "is_mail_address", "parse_mail_url", "send_mail"]


@dataclass(frozen=True)
class MailResponse:
    """The mail server accepted the message for at least one recipient.

    status: the reply code after the end of the data.
    refused, recipients: the number of refused recipients, and of all recipients.
    seconds: the duration of the whole conversation.
    """

    status: int
    refused: int
    recipients: int
    seconds: float


def send_mail(server: MailServer, message: EmailMessage, recipients: Sequence[str]) -> MailResponse:
    """Send one message to all recipients. Raises `DeliveryFailed` and nothing else."""
    # smtplib silently cuts an address at a line break, so it must never get one.
    if not recipients or not all(map(is_mail_address, recipients)):
        raise DeliveryFailed(Code.RECIPIENT_INVALID)
    started = monotonic()
    with Deadline(server.limits.whole) as deadline:
        session = SmtpSession(server, deadline)
        try:
            session.open()
            refused = session.send_envelope(recipients)
            status = session.send_data(message)
            seconds = monotonic() - started
        except (DeliveryFailed, OSError, ValueError) as error:  # every exception of smtplib is an OSError
            raise session.classify_error(error) from None
        finally:
            session.close()
    return MailResponse(status, refused, len(recipients), seconds)
