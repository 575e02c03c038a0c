"""Maps an error of a TLS handshake that is not about the receiver's certificate to a failure."""

import ssl

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.transport.client_certificates import TlsSocket, is_certificate_rejection

# OpenSSL's names of errors and of alerts that the receiver sent.
_CAUSES = {
    "TLSV1_ALERT_PROTOCOL_VERSION": Cause.OLD_TLS,
    "UNSUPPORTED_PROTOCOL": Cause.OLD_TLS,
    "VERSION_TOO_LOW": Cause.OLD_TLS,
    "WRONG_SSL_VERSION": Cause.OLD_TLS,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": Cause.WEAK_ENCRYPTION,
    "DH_KEY_TOO_SMALL": Cause.WEAK_ENCRYPTION,
    "BAD_DH_VALUE": Cause.WEAK_ENCRYPTION,
    "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED": Cause.WEAK_ENCRYPTION,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": Cause.WEAK_ENCRYPTION,
    "WRONG_SIGNATURE_TYPE": Cause.WEAK_ENCRYPTION,
    "WRONG_CURVE": Cause.WEAK_ENCRYPTION,
    "WRONG_CIPHER_RETURNED": Cause.WEAK_ENCRYPTION,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Cause.NO_SECURE_RENEGOTIATION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Cause.HANDSHAKE_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": Cause.HANDSHAKE_REFUSED,
    "TLSV1_UNRECOGNIZED_NAME": Cause.NAME_REFUSED,
    "WRONG_VERSION_NUMBER": Cause.NOT_TLS,
    "HTTP_REQUEST": Cause.NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": Cause.NOT_TLS,
    "TLSV1_ALERT_INTERNAL_ERROR": Cause.SERVER_ERROR,
    "UNEXPECTED_EOF_WHILE_READING": Cause.HANDSHAKE_CLOSED,
    "SSLV3_ALERT_CLOSE_NOTIFY": Cause.HANDSHAKE_CLOSED,
}


def classify_handshake_error(error: OSError, connection: ssl.SSLSocket | None, host: str) -> DeliveryFailed:
    """Return the failure for an error before the end of the handshake. connection: None if it never began."""
    cause = _find_cause(error)
    requested = isinstance(connection, TlsSocket) and connection.client_certificate_requested
    closed = cause is Cause.HANDSHAKE_CLOSED  # some receivers do this instead of an alert
    if is_certificate_rejection(error, connection) or (requested and closed):
        return DeliveryFailed(Code.CLIENT_CERTIFICATE_REQUIRED, Facts(host))
    return DeliveryFailed(Code.TLS_FAILED, Facts(host, cause=cause))


def _find_cause(error: OSError) -> Cause | None:
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause.HANDSHAKE_CLOSED
    return _CAUSES.get(error.reason)
