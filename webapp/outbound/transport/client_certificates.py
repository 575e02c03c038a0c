"""Recognizes a receiver that requires a client certificate, which Alertcheck never has."""

import ssl
from socket import MSG_PEEK, socket
from typing import Any

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.transport.deadline import Deadline

# How long a receiver that asked for a client certificate has to reject the connection before the message is sent.
VERDICT_SECONDS = 0.5

# RFC 8446, section 4: the types of a handshake record and of the message CertificateRequest.
_HANDSHAKE = 22
_CERTIFICATE_REQUEST = 13

# Alerts that are about the other side's certificate, so about ours (RFC 8446, section 6.2), as OpenSSL names them.
_CERTIFICATE_ALERTS = frozenset(
    {
        "SSLV3_ALERT_NO_CERTIFICATE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)
_GENERAL_ALERTS = frozenset({"SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_ACCESS_DENIED"})


class TlsSocket(ssl.SSLSocket):
    """A TLS connection that knows whether the receiver asked for a client certificate."""

    client_certificate_requested = False


def record_requests(context: ssl.SSLContext) -> None:
    """Make connections of this context `TlsSocket`s that record a request for a client certificate."""
    context.sslsocket_class = TlsSocket
    # The ssl module shows the request nowhere else. Without this private hook, the alerts alone would have to do.
    setattr(context, "_msg_callback", _record_request)  # noqa: B010 - typeshed does not know it


def is_certificate_rejection(error: BaseException, connection: object = None) -> bool:
    """Check for an alert that ends the connection because of our missing certificate.

    The receiver has then used no data.
    connection: if it is known, and the receiver requested a client certificate on it, a general refusal counts too.
    """
    if not isinstance(error, ssl.SSLError):
        return False
    requested = isinstance(connection, TlsSocket) and connection.client_certificate_requested
    reason = getattr(error, "reason", None)
    return reason in _CERTIFICATE_ALERTS or (requested and reason in _GENERAL_ALERTS)


def await_verdict(connection: TlsSocket, host: str, deadline: Deadline) -> None:
    """Wait until a receiver that asked for a client certificate has gone on without it. Raises `DeliveryFailed`.

    In TLS 1.3 the handshake ends before the receiver learns that there is no certificate. A receiver that does
    not mind usually sends session tickets next. Only for a protocol in which the client speaks first.
    """
    if not connection.client_certificate_requested or connection.version() != "TLSv1.3":
        return
    wait = connection.gettimeout()
    try:
        connection.settimeout(min(VERDICT_SECONDS, max(0.001, deadline.left())))
        socket.recv(connection, 1, MSG_PEEK)  # waits for any bytes, without decrypting them
        connection.settimeout(0)
        received = connection.recv(1)
    except (TimeoutError, ssl.SSLWantReadError):
        connection.settimeout(wait)
        return
    except OSError:
        received = b""
    connection.close()
    if deadline.hit:
        raise DeliveryFailed(Code.CONNECT_TIMEOUT, Facts(host, cause=Cause.HANDSHAKE_SILENT))
    raise DeliveryFailed(Code.TLS_FAILED if received else Code.CLIENT_CERTIFICATE_REQUIRED, Facts(host))


def _record_request(
    connection: object, direction: str, _version: Any, content: int, message: int, _data: bytes
) -> None:
    is_request = direction == "read" and content == _HANDSHAKE and message == _CERTIFICATE_REQUEST
    if is_request and isinstance(connection, TlsSocket):
        connection.client_certificate_requested = True
