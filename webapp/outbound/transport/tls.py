"""Encrypts a connection and verifies the receiver's certificate. Each kind of error has its own code and cause."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from socket import socket

import certifi

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.transport.certificate_errors import explain_certificate_error
from webapp.outbound.transport.certificates import UNREADABLE, read_dates
from webapp.outbound.transport.client_certificates import TlsSocket, record_requests
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.handshake_errors import classify_handshake_error
from webapp.outbound.transport.sent_certificates import read_sent_certificates

# Opens one more connection to the same address in the same way, ready for a TLS handshake.
# Raises `DeliveryFailed`, OSError or ValueError.
Reopen = Callable[[], socket]


@cache
def make_context(ca_file: str | None = None, *protocols: str) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or later that trusts the authorities of the machine, certifi and `ca_file`.

    certifi's are needed because a container image may have none. protocols: the ALPN protocols to offer, if any.
    An intermediate authority or a receiver's own certificate in `ca_file` is trusted without its issuer.
    Cached per process: loading the authorities takes longer than a whole send.
    Raises OSError (which includes `ssl.SSLError`) if `ca_file` cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name by default
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # as browsers, Go and urllib3 do: only the alternative names count
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    record_requests(context)
    if protocols:
        context.set_alpn_protocols(protocols)
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def encrypt(
    connection: socket,
    host: str,
    context: ssl.SSLContext,
    deadline: Deadline,
    reopen: Reopen,
    recorder: ExchangeRecorder,
) -> TlsSocket:
    """Wrap the connection in TLS and check that the certificate belongs to `host`.

    context: from `make_context`. reopen: used once after a certificate error, to read what the receiver sends.
    Raises `DeliveryFailed` with connect_timeout or one of the tls codes. The message has not been sent at this point.
    """
    recorder.start(ExchangeStep.TLS)
    wait = connection.gettimeout()
    encrypted = None
    try:
        encrypted = context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
        assert isinstance(encrypted, TlsSocket)
        encrypted.do_handshake()
    except BaseException as error:
        (encrypted or connection).close()
        if not isinstance(error, OSError):
            raise
        if deadline.hit or isinstance(error, TimeoutError):
            facts = Facts(host, seconds=None if deadline.hit else wait, cause=Cause.HANDSHAKE_SILENT)
            raise DeliveryFailed(Code.CONNECT_TIMEOUT, facts) from None
        if isinstance(error, ssl.SSLCertVerificationError):
            recorder.end(is_complete=False)  # before the second handshake
            sent = read_sent_certificates(host, deadline, reopen)
            _note_certificate(sent, recorder)
            raise explain_certificate_error(error.verify_code, sent, host, datetime.now(UTC)) from None
        raise classify_handshake_error(error, encrypted, host) from None
    own = encrypted.getpeercert(binary_form=True)
    _note_certificate([own] if own else [], recorder)
    return encrypted


def _note_certificate(sent: Sequence[bytes], recorder: ExchangeRecorder) -> None:
    """Note the first of these certificates in DER, unless cryptography refuses what OpenSSL accepted."""
    with suppress(*UNREADABLE):
        for own in sent[:1]:
            recorder.note_certificate(read_dates(own))
