"""Failures of the encryption. The next step of a code is right for each of its causes."""

from webapp.failures.cause import Cause
from webapp.failures.code import Code, Meaning

TLS: dict[Code, Meaning] = {
    Code.TLS_UNTRUSTED: Meaning(
        "{host} has a certificate from an authority that Alertcheck does not trust{authority}.{certificate}",
        "On the receiver, install a certificate from a public authority, followed by its intermediate certificates. If "
        "the certificate is from your company's own authority, ask your Alertcheck administrator to add that authority "
        "to ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_SELF_SIGNED: Meaning(
        "{host} has a self-signed certificate.{certificate}",
        "On the receiver, install a certificate for this host from a public authority. If it is meant to be "
        "self-signed, ask your Alertcheck administrator to add the certificate to ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_INCOMPLETE_CHAIN: Meaning(
        "{host} sends an incomplete chain of certificates: that of an authority{authority} is missing.{certificate}",
        "On the receiver, install the complete chain: its certificate, followed by all intermediate certificates. If "
        "the authority is your company's own, ask your Alertcheck administrator to add its certificate to "
        "ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_HOSTNAME_MISMATCH: Meaning(
        "{host} has a certificate that was not issued for this name.{issued}",
        "Use a name that the certificate was issued for, or install a certificate for this host on the receiver.",
    ),
    Code.TLS_EXPIRED: Meaning(
        "{host} has a certificate that has expired.{certificate}",
        "On the receiver, renew the certificate and install it with its current intermediate certificates. If the "
        "certificate of your company's own authority has expired, ask your Alertcheck administrator to replace it in "
        "ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_NOT_YET_VALID: Meaning(
        "{host} has a certificate that is not valid yet.{certificate}",
        "Ask your Alertcheck administrator whether the clock of the Alertcheck server is right. If it is, wait until "
        "the certificate is valid, or install one on the receiver that is valid now.",
    ),
    Code.TLS_FAILED: Meaning(
        "The encrypted connection to {host} failed.",
        "Check that the address and its port are right. On the receiver, allow TLS 1.2 or later with current ciphers "
        "for this host, and check its log.",
    ),
    Code.CLIENT_CERTIFICATE_REQUIRED: Meaning(
        "{host} asks for a client certificate, which Alertcheck does not support, so nothing was delivered.",
        "Let the receiver accept requests to this address without a client certificate, or use another address.",
    ),
}

# The sentence for each cause, in place of its code's.
TLS_CAUSES: dict[Cause, str] = {
    Cause.NO_TRUSTED_CHAIN: "{host} has a certificate that does not lead to an authority that Alertcheck trusts.",
    Cause.AUTHORITY_EXPIRED: (
        "{host} has a certificate that depends on the certificate of an authority{authority}, which expired{on}."
    ),
    Cause.AUTHORITY_NOT_YET_VALID: (
        "{host} has a certificate that depends on the certificate of an authority{authority}, which is not "
        "valid{before}."
    ),
    Cause.CHAIN_EXPIRED: "{host} has a certificate that has expired, or one that depends on an expired certificate.",
    Cause.CHAIN_NOT_YET_VALID: (
        "{host} has a certificate that is not valid yet, or one that depends on a certificate that is not."
    ),
    Cause.WEAK_CERTIFICATE: "{host} has a certificate with a key or a signature that is too weak.{certificate}",
    Cause.REVOKED: "{host} has a certificate that has been revoked.{certificate}",
    Cause.WRONG_PURPOSE: "{host} has a certificate that is not meant for servers.{certificate}",
    Cause.BAD_SIGNATURE: "{host} has a certificate with an invalid signature.{certificate}",
    Cause.NOT_PERMITTED: "{host} has a certificate that its authority was not permitted to issue.{certificate}",
    Cause.UNVERIFIABLE: "{host} has a certificate that Alertcheck cannot verify.{certificate}",
    Cause.OLD_TLS: "{host} does not support TLS 1.2 or later, which Alertcheck requires.",
    Cause.WEAK_ENCRYPTION: "{host} offers only encryption that is too weak for Alertcheck.",
    Cause.NO_SECURE_RENEGOTIATION: "{host} does not support secure renegotiation of TLS (RFC 5746), which is required.",
    Cause.HANDSHAKE_REFUSED: (
        "{host} refused the TLS handshake: it has no cipher in common with Alertcheck, or no service for this name."
    ),
    Cause.NAME_REFUSED: "{host} refused the TLS handshake: it has no service for this name.",
    Cause.NOT_TLS: "{host} does not speak TLS on this port.",
    Cause.HANDSHAKE_CLOSED: "{host} closed the connection during the TLS handshake.",
    Cause.HANDSHAKE_SILENT: "{host} accepted the connection but did not complete the TLS handshake in time{wait}.",
    Cause.SERVER_ERROR: "{host} broke off the TLS handshake because of an error of its own.",
}
