"""Sends one message through the operator's mail server, and says exactly what that server accepted."""

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
    """The mail server's yes to the message, for at least one recipient.

    status: the reply code after the end of the data.
    refused, recipients: how many of how many recipients it did not take.
    seconds: how long the whole conversation took.
    """

    status: int
    refused: int
    recipients: int
    seconds: float


def send_mail(server: MailServer, message: EmailMessage, recipients: Sequence[str]) -> MailResponse:
    """Hand one message to the server for all recipients. Raises `DeliveryFailed` and nothing else."""
    # smtplib cuts an address at a line break without a word, so it must never see one.
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
        except (DeliveryFailed, OSError, ValueError) as error:  # whatever smtplib raises is an OSError
            raise session.classify_error(error) from None
        finally:
            session.close()
    return MailResponse(status, refused, len(recipients), seconds)
