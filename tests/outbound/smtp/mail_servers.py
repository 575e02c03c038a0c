"""How the tests of the mail client set up a server and call it."""

import ssl
from collections.abc import Callable
from email.message import EmailMessage

import pytest
import trustme

from tests.scripted_mail_server import Script, ScriptedMailServer, mail_server
from webapp.failures import DeliveryFailed
from webapp.outbound.smtp.client import MailResponse, MailSecurity, MailServer, send_mail
from webapp.outbound.transport.deadline import Limits

SENDER = "alerts@example.com"
THREE = ("ann@example.com", "bob@example.com", "cleo@example.com")
PASSWORD = "Sesame-4711"
SHORT = Limits(whole=0.8, connect=0.5, silence=0.3)
OFFERS_TLS = "250-mail.example\r\n250 STARTTLS"


def server_context(issuer: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(name).configure_cert(context)
    return context


def plain(receiver: ScriptedMailServer) -> MailServer:
    return MailServer("127.0.0.1", receiver.port, SENDER, MailSecurity.NONE)


def signing_in(receiver: ScriptedMailServer, ca_file: str) -> MailServer:
    return MailServer("127.0.0.1", receiver.port, SENDER, MailSecurity.STARTTLS, "alertcheck", PASSWORD, ca_file)


def offering(mechanisms: str) -> list[str]:
    """Return the replies to EHLO of a server that offers these mechanisms over TLS."""
    return [OFFERS_TLS, f"250-mail.example\r\n250 AUTH {mechanisms}"]


def failure_of(send: Callable[[], MailResponse]) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send()
    return caught.value


def failure_from(script: Script, message: EmailMessage, recipients: tuple[str, ...] = THREE) -> DeliveryFailed:
    with mail_server(script) as receiver:
        return failure_of(lambda: send_mail(plain(receiver), message, recipients))
