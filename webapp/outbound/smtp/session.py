"""One conversation with a mail server, led step by step, because what a failure means depends on the step."""

import re
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE_FORMAT
from smtplib import SMTP, SMTPAuthenticationError
from socket import socket
from ssl import SSLSocket

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.policy.urls import Policy, Target
from webapp.outbound.smtp.classification import Reply, Step, class_of, classify_breakdown, classify_refusal
from webapp.outbound.smtp.mail_server import MailSecurity, MailServer
from webapp.outbound.smtp.reply_reader import ReplyReader
from webapp.outbound.transport.connect import open_connection
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.dns import system_resolver
from webapp.outbound.transport.tls import encrypt, make_context

QUIT_SECONDS = 1.0


class SmtpSession:
    """What is said over one connection.

    Every step raises `DeliveryFailed` when the server says no, and OSError or ValueError when it stops making sense;
    `classify_error` turns either into the one error to raise.
    """

    def __init__(self, server: MailServer, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self._step = Step.GREETING
        # Given a name, smtplib does not ask the DNS for this machine's own, which no deadline could end.
        self._smtp = SMTP(local_hostname=server.sender.rpartition("@")[2], timeout=server.limits.silence)

    def open(self) -> None:
        """Come to the point where mail may be handed over: connection, greeting, encryption, sign-in."""
        connection = _connect(self._server, self._deadline)
        self._use(self._encrypt(connection) if self._server.security is MailSecurity.TLS else connection)
        self._expect(self._smtp.getreply())
        self._greet()
        if self._server.security is MailSecurity.STARTTLS:
            self._start_tls(connection)
        if self._server.username is not None:
            self._sign_in(self._server.username, self._server.password or "")

    def send_envelope(self, recipients: Sequence[str]) -> int:
        """Name the sender and the recipients; return how many of these were refused, but not all."""
        self._step = Step.SENDER
        self._expect(self._smtp.mail(self._server.sender))
        self._step = Step.RECIPIENT
        refusals = [reply for reply in map(self._add_recipient, recipients) if class_of(reply) != 2]
        if len(refusals) == len(recipients):
            # Only if every one may be taken later is it worth trying again.
            final = next((reply for reply in refusals if class_of(reply) == 5), refusals[0])
            raise self._refusal(final, recipients=len(recipients))
        return len(refusals)

    def send_data(self, message: EmailMessage) -> int:
        """Send the message itself and return the code of the server's yes."""
        self._step = Step.DATA
        self._expect(self._smtp.docmd("DATA"), 3)
        self._smtp.send(_on_the_wire(message))
        self._step = Step.END_OF_DATA
        return self._expect(self._smtp.getreply())

    def close(self) -> None:
        """Say goodbye; whatever comes of that changes nothing about what was accepted before."""
        try:
            with suppress(OSError, ValueError):
                if self._smtp.sock is not None:
                    self._smtp.sock.settimeout(QUIT_SECONDS)
                    self._smtp.quit()
        finally:
            with suppress(OSError):
                self._smtp.close()

    def classify_error(self, error: Exception) -> DeliveryFailed:
        """Say by its type and the step what an exception means."""
        if isinstance(error, DeliveryFailed):
            return error
        if self._deadline.hit:
            return self._too_late()
        return classify_breakdown(self._step, error, Facts(self._server.host, seconds=self._server.limits.silence))

    def _use(self, connection: socket) -> None:
        self._smtp.sock = connection
        # A new reader: what came unencrypted before STARTTLS must not be read after it.
        self._smtp.file = ReplyReader(connection.makefile("rb", buffering=0))

    def _encrypt(self, connection: socket) -> SSLSocket:
        context = make_context(
            self._server.ca_file
        )  # SMTP has no name in ALPN, and some servers hang up on a wrong one
        return encrypt(connection, self._server.host, context, self._deadline)

    def _greet(self) -> None:
        self._step = Step.HELLO
        reply = self._smtp.ehlo()
        self._expect(self._smtp.helo() if class_of(reply) == 5 else reply)

    def _start_tls(self, connection: socket) -> None:
        self._step = Step.START_TLS
        if not self._smtp.has_extn("starttls"):
            raise DeliveryFailed(Code.SMTP_TLS_UNAVAILABLE, Facts(self._server.host))
        self._expect(self._smtp.docmd("STARTTLS"))
        self._use(self._encrypt(connection))
        self._greet()

    def _sign_in(self, username: str, password: str) -> None:
        self._step = Step.SIGN_IN
        ways = {"PLAIN": self._smtp.auth_plain, "LOGIN": self._smtp.auth_login}
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        mechanism = next((name for name in ways if name in offered), None)
        if mechanism is None:
            raise DeliveryFailed(Code.SMTP_AUTH_UNAVAILABLE, Facts(self._server.host))
        self._smtp.user, self._smtp.password = username, password
        try:
            self._smtp.auth(mechanism, ways[mechanism])
        except SMTPAuthenticationError as error:
            text = error.smtp_error
            raise self._refusal((error.smtp_code, text if isinstance(text, bytes) else b"")) from None

    def _add_recipient(self, recipient: str) -> Reply:
        reply = self._smtp.rcpt(recipient)
        if reply[0] == 421 or class_of(reply) not in (2, 4, 5):  # 421: the server is about to hang up
            raise self._refusal(reply)
        return reply

    def _expect(self, reply: Reply, wanted: int = 2) -> int:
        # A reply that the deadline cut short can look like a whole one, even like a yes.
        if class_of(reply) != wanted or self._deadline.hit:
            raise self._refusal(reply)
        return reply[0]

    def _too_late(self) -> DeliveryFailed:
        return DeliveryFailed(Code.DEADLINE_EXCEEDED, Facts(self._server.host, seconds=self._server.limits.whole))

    def _refusal(self, reply: Reply, recipients: int | None = None) -> DeliveryFailed:
        if self._deadline.hit:
            return self._too_late()
        facts = Facts(self._server.host, refused=recipients, recipients=recipients)
        return classify_refusal(self._step, reply, facts)


def _connect(server: MailServer, deadline: Deadline) -> socket:
    """Connect to the mail server wherever it is: the operator named it, so it is trusted."""
    target = Target("smtp", server.host, server.port, path="")
    policy = Policy(trusted_origins=frozenset({target.origin}))
    return open_connection(target, policy, system_resolver, deadline, server.limits)


def _on_the_wire(message: EmailMessage) -> bytes:
    """Return the message as 7-bit lines, with every leading dot doubled (RFC 5321, section 4.5.2) and the end mark."""
    lines = message.as_bytes(policy=WIRE_FORMAT.clone(cte_type="7bit"))
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"
