"""Reads which certificates a receiver sends, in a second handshake that trusts anything and is followed by no data."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from socket import socket
from typing import Any

from webapp.failures import DeliveryFailed
from webapp.outbound.transport.deadline import Deadline

# The time that must be left for a second handshake.
_MIN_SECONDS = 0.05

_ENCODING_DER = 2  # of the private module `_ssl`


def read_sent_certificates(host: str, deadline: Deadline, reopen: Callable[[], socket]) -> Sequence[bytes]:
    """Return the receiver's certificates in DER, its own first, or nothing if the handshake fails or time is short."""
    if deadline.left() < _MIN_SECONDS:
        return ()
    try:
        with closing(reopen()) as connection, closing(_wrap(connection, host)) as encrypted:
            encrypted.do_handshake()
            return () if deadline.hit else _get_chain(encrypted)
    except (DeliveryFailed, OSError, ValueError):
        return ()


@cache
def _make_unverified_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent over these connections, and nothing is read from them
    return context


def _wrap(connection: socket, host: str) -> ssl.SSLSocket:
    context = _make_unverified_context()
    return context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)


def _get_chain(encrypted: Any) -> Sequence[bytes]:
    """Return the chain as it was sent. The public method exists from Python 3.13."""
    if hasattr(encrypted, "get_unverified_chain"):
        return tuple(encrypted.get_unverified_chain())
    return tuple(sent.public_bytes(_ENCODING_DER) for sent in encrypted._sslobj.get_unverified_chain() or ())
