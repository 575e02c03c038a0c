"""Sends one message through the configured mail server, or only signs in, and returns exactly what it accepted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from email.message import EmailMessage
from time import monotonic
from typing import TypeVar

from webapp.failures import Code, DeliveryFailed
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.smtp.email_addresses import is_mail_address
from webapp.outbound.smtp.greeting import wrong_port
from webapp.outbound.smtp.mail_server import MailSecurity, MailServer, parse_mail_url
from webapp.outbound.smtp.response import MailResponse, RecipientRefusal
from webapp.outbound.smtp.session import SmtpSession
from webapp.outbound.smtp.steps import OnStep, ignore_step
from webapp.outbound.transport.deadline import Deadline

__all__ = [
    "MailResponse",
    "MailSecurity",
    "MailServer",
    "check_mail_server",
    "is_mail_address",
    "parse_mail_url",
    "send_mail",
]

Result = TypeVar("Result")

# How long to wait for a greeting without TLS after TLS has failed, in seconds.
PLAIN_GREETING_SECONDS = 2.0


def send_mail(
    server: MailServer,
    message: EmailMessage,
    recipients: Sequence[str],
    recorder: ExchangeRecorder | None = None,
    on_step: OnStep = ignore_step,
) -> MailResponse:
    """Send one message to all recipients. Raises `DeliveryFailed` and nothing else.

    recorder: collects the facts of the conversation, also of one that fails. on_step: is told its steps.
    """
    # smtplib silently cuts an address at a line break, so it must never get one.
    if not recipients or not all(map(is_mail_address, recipients)):
        raise DeliveryFailed(Code.RECIPIENT_INVALID)
    started = monotonic()

    def send(session: SmtpSession) -> MailResponse:
        refusals = session.send_envelope(recipients)
        status = session.send_data(message)
        return MailResponse(
            status, len(recipients), tuple(map(RecipientRefusal.of, refusals)), seconds=monotonic() - started
        )

    return _converse(server, send, recorder or ExchangeRecorder(), on_step)


def check_mail_server(server: MailServer) -> None:
    """Connect, encrypt and sign in as `send_mail` does, but send nothing. Raises `DeliveryFailed` and nothing else."""
    _converse(server, lambda session: None, ExchangeRecorder())


def _converse(
    server: MailServer, work: Callable[[SmtpSession], Result], recorder: ExchangeRecorder, on_step: OnStep = ignore_step
) -> Result:
    """Return what `work` does with an open session."""
    with recorder, Deadline(server.limits.whole) as deadline:
        try:
            return _work_in_session(server, deadline, work, recorder, on_step)
        except DeliveryFailed as failure:
            if failure.code is not Code.TLS_FAILED or server.security is not MailSecurity.TLS:
                raise
            raise _explain_tls_failure(failure, server, deadline) from None


def _work_in_session(
    server: MailServer,
    deadline: Deadline,
    work: Callable[[SmtpSession], Result],
    recorder: ExchangeRecorder,
    on_step: OnStep,
) -> Result:
    session = SmtpSession(server, deadline, recorder=recorder, on_step=on_step)
    try:
        session.open()
        result = work(session)
        recorder.end(is_complete=True)
        return result
    except (DeliveryFailed, OSError, ValueError) as error:  # every exception of smtplib is an OSError
        raise session.classify_error(error) from None
    finally:
        recorder.end(is_complete=False)
        session.close()


def _explain_tls_failure(failure: DeliveryFailed, server: MailServer, deadline: Deadline) -> DeliveryFailed:
    """Connect again without TLS, and return the true cause if the port does not expect TLS. Sends no message."""
    deadline.disconnect()
    plain = SmtpSession(_without_tls(server), deadline, PLAIN_GREETING_SECONDS)
    cause = failure
    try:
        plain.open()
    except (DeliveryFailed, OSError, ValueError) as error:
        cause = plain.classify_error(error)
    # A password is never sent without encryption.
    fitting = MailSecurity.STARTTLS if plain.offers_encryption or server.username else MailSecurity.NONE
    plain.close()
    if plain.has_greeted:
        return wrong_port(server, fitting)
    return cause if cause.code is Code.SMTP_PROTOCOL else failure


def _without_tls(server: MailServer) -> MailServer:
    return replace(server, security=MailSecurity.NONE, username=None, password=None)
