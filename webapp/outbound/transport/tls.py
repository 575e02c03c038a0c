"""Encrypts a connection and verifies the receiver's certificate. Each kind of error has its own code."""

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
    64: Code.TLS_HOSTNAME_MISMATCH,  # for an IP address
}


@cache
def make_context(ca_file: str | None = None, *protocols: str) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or later that trusts the authorities of the machine, certifi and `ca_file`.

    certifi's are needed because a container image may have none. protocols: the ALPN protocols to offer, if any.
    Cached per process: loading the authorities takes longer than a whole send.
    Raises OSError (which includes `ssl.SSLError`) if `ca_file` cannot be read.
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
    """Wrap the connection in TLS and check that the certificate belongs to `host`.

    Raises `DeliveryFailed` with connect_timeout or one of the tls codes. The message has not been sent at this point.
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
