"""Encrypts a connection and checks whose it is; each way that can go wrong has its own code."""

import socket
import ssl
from functools import cache

import certifi

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.transport.deadline import Deadline

# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
_CERTIFICATE_FAILURES = {
    9: Code.TLS_NOT_YET_VALID,
    10: Code.TLS_EXPIRED,
    62: Code.TLS_HOSTNAME_MISMATCH,
    64: Code.TLS_HOSTNAME_MISMATCH,  # the same for an IP address
}


@cache
def make_context(ca_file: str | None = None, *protocols: str) -> ssl.SSLContext:
    """Trust the machine's authorities, certifi's (an image may have none) and those of `ca_file`; TLS 1.2 or later.

    protocols: what the connection may be used for, as ALPN names it. It is offered only if there is one.
    Made once in a process: to read all these authorities takes longer than a whole send.
    Raises OSError (`ssl.SSLError` among them) if `ca_file` cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name by default
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if protocols:
        context.set_alpn_protocols(protocols)
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def encrypt(connection: socket.socket, host: str, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    """Return the connection with TLS around it, to the holder of `host`'s certificate.

    Raises `DeliveryFailed` with connect_timeout or one of the tls codes: the message has not been sent yet.
    """
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except OSError as error:
        connection.close()
        raise DeliveryFailed(_classify_error(error, deadline), Facts(host=host)) from None


def _classify_error(error: OSError, deadline: Deadline) -> Code:
    if deadline.hit or isinstance(error, TimeoutError):
        return Code.CONNECT_TIMEOUT
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_FAILURES.get(error.verify_code, Code.TLS_UNTRUSTED)
    return Code.TLS_FAILED
