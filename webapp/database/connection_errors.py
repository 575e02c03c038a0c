"""Finds why PostgreSQL or a pooler refuses a connection, from the words of the error.

Such an error has no code. Its words are those of the client's library, which are always English here, or the server's,
which may be in another language: these get a sentence that is true for all of them.
Tried with PostgreSQL 15 to 18 and PgBouncer 1.18 (tests/database/test_connection_errors.py).
"""

import re

from webapp.database.outage_reasons import Reason

# The first that matches: an error may repeat itself for another address, or with and without encryption.
_WORDS = tuple(
    (re.compile(words), reason)
    for words, reason in (
        (r"failed to resolve host|could not translate host name", Reason.UNKNOWN_HOST),
        (r"on socket \"[^\"]*\" failed: (No such|Connection refused|Permission)", Reason.NO_SOCKET),
        (r"unsupported startup parameter", Reason.POOLER_OPTIONS),
        (r"query_wait_timeout", Reason.POOLER_BUSY),
        (r"server login failed|cannot connect to server|login has been failing|bouncer config error", Reason.POOLER),
        (r"too many clients|too many connections|connection slots are reserved|no more connections", Reason.TOO_MANY),
        (r"starting up|shutting down|in recovery mode|not yet accepting connections", Reason.STARTING),
        (r"no password supplied", Reason.NO_PASSWORD),
        (r"(Peer|Ident) authentication failed", Reason.PEER),
        (r"authentication failed|no such user", Reason.WRONG_PASSWORD),
        (r"role \"[^\n]*\" does not exist", Reason.WRONG_USER),
        (r"is not permitted to log in", Reason.NO_LOGIN),
        (r"database \"[^\n]*\" does not exist|no such database", Reason.NO_DATABASE),
        (r"permission denied for database|not currently accepting connections", Reason.NO_CONNECT),
        (r"root certificate file [^\n]* does not exist|locate root certificate", Reason.NO_AUTHORITIES),
        (r"read root certificate file|load system root certificate", Reason.BAD_AUTHORITIES),
        (r"valid client certificate|certificate required|certificate file|private key file", Reason.CLIENT_CERTIFICATE),
        (r"pg_hba\.conf [^\n]*SSL (encryption|on)", Reason.NOT_LISTED),
        (r"pg_hba\.conf rejects|GSS encryption", Reason.NOT_LISTED),
        (r"pg_hba\.conf|FATAL: +SSL required", Reason.TLS_REQUIRED),
        (r"does not support SSL", Reason.TLS_UNSUPPORTED),
        (r"certificate verify failed", Reason.UNTRUSTED),
        (r"does not match host name|host name from server certificate", Reason.WRONG_NAME),
        (r"(in hot standby mode|session is read-only)$", Reason.STANDBY),
        (r"invalid response to SSL negotiation|expected authentication request", Reason.NOT_POSTGRESQL),
        (r"SSL (error|SYSCALL error)", Reason.TLS_FAILED),
        (r"invalid [^\n]*(value|number|option|parameter)|weak sslmode|configuration parameter", Reason.BAD_OPTIONS),
        (r"(channel binding|GSSAPI encryption) required", Reason.BAD_OPTIONS),
        (r"Connection refused", Reason.REFUSED),
        (r"unreachable|No route to host", Reason.NO_ROUTE),
        (r"time(d )?out|did not (respond|accept the connection)", Reason.SILENT),
        (r"closed the connection|connection reset|Connection reset", Reason.CLOSED),
        (r"failed: \S+\s?:\s", Reason.SIGN_IN_REFUSED),  # "FATAL: ", in any language
    )
)


def find_connection_reason(words: str) -> Reason | None:
    """Return why the connection was refused, or None if the words are unknown."""
    return next((reason for pattern, reason in _WORDS if pattern.search(words)), None)
