"""One SMTP conversation. It records its current step, because the meaning of a failure depends on the step."""

import re
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE_FORMAT
from functools import partial
from smtplib import SMTP
from socket import socket

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.smtp.classification import (
    TOO_SLOW,
    Situation,
    classify_exception,
    classify_refusal,
    interrupted,
)
from webapp.outbound.smtp.connection import connect, encrypt_connection
from webapp.outbound.smtp.greeting import await_greeting, greeting_patience
from webapp.outbound.smtp.mail_server import MailSecurity, MailServer
from webapp.outbound.smtp.replies import Reply, get_reply_class
from webapp.outbound.smtp.reply_reader import ReplyReader
from webapp.outbound.smtp.sign_in import sign_in
from webapp.outbound.smtp.steps import OnStep, Step, ignore_step
from webapp.outbound.transport.client_certificates import TlsSocket, await_verdict, is_certificate_rejection
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.tls import Reopen

# How long `close` waits for the reply to QUIT.
QUIT_SECONDS = 1.0

# The replies to EHLO of a server that knows only HELO (RFC 5321, section 4.1.4).
_UNKNOWN_COMMAND = (500, 501, 502, 504)


class SmtpSession:
    """An SMTP conversation over one connection.

    Every step raises `DeliveryFailed` if the server refuses, and OSError or ValueError if the conversation breaks.
    `classify_error` converts all of them to a `DeliveryFailed`.
    """

    def __init__(
        self,
        server: MailServer,
        deadline: Deadline,
        patience: float | None = None,
        recorder: ExchangeRecorder | None = None,
        on_step: OnStep = ignore_step,
    ) -> None:
        """patience: how long to wait for the greeting, in seconds. Almost the whole time if it is not given.
        recorder, on_step: of a session that sends the message, not of one that only finds out the cause of a failure.
        """
        self._recorder, self._on_step = recorder or ExchangeRecorder(), on_step
        self._server = server
        self._deadline = deadline
        self._patience = patience
        self._step = Step.GREETING
        self._silence = server.limits.silence
        self._is_encrypted = self._is_signed_in = self.has_greeted = False
        # Without a name, smtplib would look up this machine's own in the DNS, which no deadline could interrupt.
        self._smtp = SMTP(local_hostname=server.sender.rpartition("@")[2], timeout=server.limits.silence)

    @property
    def offers_encryption(self) -> bool:
        """Whether the server offers STARTTLS."""
        return self._smtp.has_extn("starttls")

    def open(self) -> None:
        """Connect, read the greeting, encrypt the connection and sign in, as far as the settings ask for it."""
        connection, reopen = connect(self._server, self._deadline, self._recorder)
        if self._server.security is MailSecurity.TLS:
            connection = self._encrypt(connection, reopen)
        self._greet(connection)
        if self._server.security is MailSecurity.STARTTLS:
            self._start_tls(connection, reopen)
        if self._server.username is not None:
            self._sign_in()

    def send_envelope(self, recipients: Sequence[str]) -> list[Reply]:
        """Send the sender and the recipients. Returns the refusals of recipients; raises if all were refused."""
        self._begin(Step.SENDER)
        self._expect(self._smtp.mail(self._server.sender))
        self._begin(Step.RECIPIENT)
        refusals = [reply for reply in map(self._add_recipient, recipients) if get_reply_class(reply) != 2]
        if len(refusals) == len(recipients):
            # A retry makes sense only if every refusal is temporary, so a permanent one decides.
            deciding = next((reply for reply in refusals if get_reply_class(reply) == 5), refusals[0])
            raise self._refusal(deciding, recipients=len(recipients))
        return refusals

    def send_data(self, message: EmailMessage) -> int:
        """Send the message. Returns the reply code with which the server accepted it."""
        self._begin(Step.DATA)
        self._expect(self._smtp.docmd("DATA"), 3)
        if self._has_reply():  # sent before the message, so it cannot accept it
            raise self._refusal(self._smtp.getreply())
        self._smtp.send(_encode_message(message))
        self._begin(Step.END_OF_DATA)
        return self._expect(self._smtp.getreply())

    def close(self) -> None:
        """Quit and close. Errors are ignored: they do not change what the server accepted."""
        try:
            with suppress(OSError, ValueError):
                if self._smtp.sock is not None:
                    self._smtp.sock.settimeout(QUIT_SECONDS)
                    self._smtp.quit()
        finally:
            with suppress(OSError):
                self._smtp.close()

    def classify_error(self, error: Exception) -> DeliveryFailed:
        """Return the failure for an exception, by its type and the current step."""
        if isinstance(error, DeliveryFailed):
            return error
        if self._deadline.hit:
            return self._deadline_exceeded()
        if self._step is not Step.END_OF_DATA and is_certificate_rejection(error.__context__ or error):
            return DeliveryFailed(Code.CLIENT_CERTIFICATE_REQUIRED, Facts(self._server.host))
        return classify_exception(self._step, error, Facts(self._server.host, seconds=round(self._silence, 1)))

    def _begin(self, step: Step) -> None:
        self._step = step
        self._on_step(step)

    def _set_connection(self, connection: socket) -> None:
        self._connection = self._smtp.sock = connection
        # A new reader, so that no bytes received before STARTTLS are read after it.
        self._reader = self._smtp.file = ReplyReader(connection.makefile("rb", buffering=0))

    def _has_reply(self) -> bool:
        """Check whether a reply is there already, without waiting for one."""
        self._connection.settimeout(0)
        try:
            return bool(self._reader.peek())
        except OSError:  # such as `SSLWantReadError`; whatever is wrong, sending finds out
            return False
        finally:
            self._connection.settimeout(self._silence)

    def _set_silence(self, seconds: float) -> None:
        self._silence = seconds
        self._connection.settimeout(seconds)

    def _read_greeting(self) -> None:
        self._recorder.start(ExchangeStep.GREETING)
        self._set_silence(self._patience or greeting_patience(self._server, self._deadline))
        await_greeting(self._connection, self._reader, self._server, self._deadline)
        reply = self._smtp.getreply()
        self.has_greeted = get_reply_class(reply) != 0
        self._expect(reply)
        self._recorder.start(ExchangeStep.MAIL)
        self._set_silence(self._server.limits.silence)

    def _encrypt(self, connection: socket, reopen: Reopen) -> TlsSocket:
        encrypted = encrypt_connection(connection, self._server, self._deadline, reopen, self._recorder)
        self._is_encrypted = True
        return encrypted

    def _greet(self, connection: socket) -> None:
        self._set_connection(connection)
        self._read_greeting()
        self._send_hello()

    def _send_hello(self) -> None:
        self._begin(Step.HELLO)
        reply = self._smtp.ehlo()
        self._expect(self._smtp.helo() if reply[0] in _UNKNOWN_COMMAND else reply)

    def _start_tls(self, connection: socket, reopen: Reopen) -> None:
        self._request_tls()
        encrypted = self._encrypt(connection, partial(self._reopen_for_tls, reopen))
        await_verdict(encrypted, self._server.host, self._deadline)
        self._recorder.start(ExchangeStep.MAIL)
        self._set_connection(encrypted)
        self._send_hello()

    def _reopen_for_tls(self, reopen: Reopen) -> socket:
        """Open another connection and take the plain steps that come before its TLS handshake."""
        connection = reopen()
        again = SmtpSession(self._server, self._deadline)
        try:
            again._greet(connection)
            again._request_tls()
        except BaseException:
            again._smtp.close()
            raise
        return connection

    def _request_tls(self) -> None:
        self._begin(Step.START_TLS)
        if not self.offers_encryption:
            raise DeliveryFailed(Code.SMTP_TLS_UNAVAILABLE, Facts(self._server.host))
        self._expect(self._smtp.docmd("STARTTLS"))

    def _sign_in(self) -> None:
        self._begin(Step.SIGN_IN)
        sign_in(self._smtp, self._server, self._refusal)
        self._is_signed_in = True

    def _add_recipient(self, recipient: str) -> Reply:
        reply = self._smtp.rcpt(recipient)
        if reply[0] == 421 or get_reply_class(reply) not in (2, 4, 5):  # 421: the server is closing the connection
            raise self._refusal(reply)
        return reply

    def _expect(self, reply: Reply, reply_class: int = 2) -> int:
        # A reply that the deadline cut short can look complete, even like an acceptance.
        if get_reply_class(reply) != reply_class or self._deadline.hit:
            raise self._refusal(reply)
        return reply[0]

    def _deadline_exceeded(self) -> DeliveryFailed:
        facts = Facts(self._server.host, seconds=self._server.limits.whole)
        return interrupted(self._step, TOO_SLOW, Code.DEADLINE_EXCEEDED, facts)

    def _refusal(self, reply: Reply, recipients: int | None = None) -> DeliveryFailed:
        if self._deadline.hit:
            return self._deadline_exceeded()
        situation = Situation(self._step, self._is_encrypted, self._is_signed_in, self.offers_encryption)
        return classify_refusal(situation, reply, Facts(self._server.host, refused=recipients, recipients=recipients))


def _encode_message(message: EmailMessage) -> bytes:
    """Return the message as 7-bit lines with leading dots doubled (RFC 5321, section 4.5.2) and the final dot."""
    lines = message.as_bytes(policy=WIRE_FORMAT.clone(cte_type="7bit"))
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"
