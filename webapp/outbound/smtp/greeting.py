"""Waits for a mail server's greeting, and finds out what listens on the port if there is none."""

from io import BufferedReader
from smtplib import SMTPServerDisconnected
from socket import socket
from time import monotonic

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.smtp.connection import connect
from webapp.outbound.smtp.mail_server import MailSecurity, MailServer
from webapp.outbound.smtp.other_services import TLS_PORT, is_tls, name_service, provoke_response
from webapp.outbound.transport.deadline import Deadline

# The part of the whole time that is kept for finding out why there is no greeting. The greeting may take the rest,
# more than any other reply: postscreen holds it back for 6 s by default.
_SHARE_FOR_CAUSE = 1 / 8

# A server that hangs up sooner than this part of the whole time was not waiting for a TLS handshake.
_SHARE_BEFORE_HANG_UP = 1 / 8


def greeting_patience(server: MailServer, deadline: Deadline) -> float:
    """Return how long to wait for the greeting, in seconds."""
    return max(server.limits.silence, deadline.left() - server.limits.whole * _SHARE_FOR_CAUSE)


def await_greeting(connection: socket, reader: BufferedReader, server: MailServer, deadline: Deadline) -> None:
    """Return when the greeting begins, which stays in the reader.

    Raises OSError if nothing comes, or `DeliveryFailed` if something else than a mail server listens.
    """
    began = monotonic()
    try:
        start = reader.peek()
    except TimeoutError:
        if server.security is not MailSecurity.TLS:
            _check_port(server)
            _check_service(provoke_response(connection, _cause_seconds(server, deadline)), server)
        raise
    if not start:
        if server.security is not MailSecurity.TLS:
            _check_port(server)
            _check_for_hang_up(monotonic() - began, server, deadline)
        raise SMTPServerDisconnected
    _check_service(start, server)


def wrong_port(server: MailServer, fitting: MailSecurity) -> DeliveryFailed:
    """Return the failure for a port that expects another security than the settings name."""
    expected = f"{fitting.scheme}:// on port {server.port}"
    return DeliveryFailed(Code.SMTP_WRONG_PORT, Facts(server.host, expected=expected))


def _cause_seconds(server: MailServer, deadline: Deadline) -> float:
    # Not all that is left: the deadline would be hit, and the page would not say what the server did.
    return min(server.limits.whole * _SHARE_FOR_CAUSE, deadline.left()) * 0.75


def _check_port(server: MailServer) -> None:
    """Raise if silence means by the port's number that it expects TLS."""
    if server.port == TLS_PORT:
        raise wrong_port(server, MailSecurity.TLS)


def _check_for_hang_up(waited: float, server: MailServer, deadline: Deadline) -> None:
    """Raise if the server closed the connection because it was waiting for a TLS handshake."""
    if waited > server.limits.whole * _SHARE_BEFORE_HANG_UP and not deadline.hit:
        another, _ = connect(server, deadline, ExchangeRecorder())
        with another:
            _check_service(provoke_response(another, _cause_seconds(server, deadline)), server)


def _check_service(start: bytes, server: MailServer) -> None:
    """Raise if these first bytes are not those of a mail server."""
    if is_tls(start):
        raise wrong_port(server, MailSecurity.TLS)
    name = name_service(start)
    if name is not None:
        raise DeliveryFailed(Code.SMTP_PROTOCOL, Facts(server.host, token=name))
