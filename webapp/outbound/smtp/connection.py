"""Connects to the configured mail server, with or without TLS."""

from socket import socket

from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Target
from webapp.outbound.smtp.mail_server import MailServer
from webapp.outbound.transport.client_certificates import TlsSocket
from webapp.outbound.transport.connect import open_plain_connection
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.dns import system_resolver
from webapp.outbound.transport.tls import Reopen, encrypt, make_context


def connect(server: MailServer, deadline: Deadline, recorder: ExchangeRecorder) -> tuple[socket, Reopen]:
    """Connect to the mail server, without TLS. The administrator set it, so any address is trusted.

    Returns the connection, and a function that opens another one to the same address.
    """
    target = Target("smtp", server.host, server.port, path="")
    routes = {target.origin: server.demo_route} if server.demo_route else {}
    policy = Policy(trusted_origins=frozenset({target.origin}), demo_routes=routes)
    connection, reopen = open_plain_connection(target, policy, system_resolver, deadline, server.limits, recorder)
    connection.settimeout(server.limits.silence)
    return connection, reopen


def encrypt_connection(
    connection: socket, server: MailServer, deadline: Deadline, reopen: Reopen, recorder: ExchangeRecorder
) -> TlsSocket:
    """Encrypt the connection. Raises `DeliveryFailed`."""
    # No ALPN: SMTP has no protocol name there, and some servers close the connection if they get a wrong one.
    encrypted = encrypt(connection, server.host, make_context(server.ca_file), deadline, reopen, recorder)
    encrypted.settimeout(server.limits.silence)
    return encrypted
