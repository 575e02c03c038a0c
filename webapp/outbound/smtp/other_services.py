"""Finds out what listens on a port that does not greet as a mail server does: TLS, a web server, or another service."""

import socket
import ssl
from contextlib import suppress

# The port where encryption starts at once, without a command (RFC 8314).
TLS_PORT = 465

# Bytes of a response that are looked at.
_MAX_RESPONSE = 64

# The first bytes of other services, and their names, which pages show.
_SERVICES = {
    b"HTTP/": "HTTP",
    b"<": "HTTP",
    b"SSH-": "SSH",
    b"* OK": "IMAP",
    b"* PREAUTH": "IMAP",
    b"* BYE": "IMAP",
    b"+OK": "POP3",
    b"-ERR": "POP3",
}


def is_tls(data: bytes) -> bool:
    """Check for the first bytes of a TLS alert or handshake (RFC 8446, section 5.1)."""
    return data[:2] in (b"\x15\x03", b"\x16\x03")


def name_service(data: bytes) -> str | None:
    """Return the name of the service that begins with these bytes, or None if it is not one of the list."""
    return next((name for start, name in _SERVICES.items() if data.startswith(start)), None)


def provoke_response(connection: socket.socket, seconds: float) -> bytes:
    """Return how a silent service responds to the beginning of a TLS handshake; empty if it does not.

    Only for a connection that is given up: to a mail server, this is nonsense. The line breaks at the end make a web
    server respond too.
    """
    with suppress(OSError):
        connection.settimeout(max(0.001, seconds))
        connection.sendall(_make_client_hello() + b"\r\n\r\n")
        return connection.recv(_MAX_RESPONSE)
    return b""


def _make_client_hello() -> bytes:
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="mail.invalid").do_handshake()
    return outgoing.read()
