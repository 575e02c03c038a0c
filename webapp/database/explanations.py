"""Explains to administrators why the database cannot be used. No sentence quotes the error: it may repeat the URL."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from webapp.database.outages import Outage, find_outage
from webapp.database.revision import RUN_UPGRADE

# Sentences without their subject, "the database".
REASONS = {
    Outage.BUSY: "is busy: it is locked, or has no free connection",
    Outage.UNREACHABLE: "is not available: it does not respond, or refuses the connection",
    Outage.READ_ONLY: "accepts no changes: it is read-only",
    Outage.FULL: "has no space left",
    Outage.NOT_MIGRATED: f"is not migrated: {RUN_UPGRADE}",
    Outage.NOT_PERMITTED: "does not let the user of DATABASE_URL do this: "
    "make that user the owner of the database and its tables",
}

# PostgreSQL's client has no code for a connection that was refused, only a text, in English unless the server is set to
# another language. If several addresses were tried, it has a part for each: the first pattern that matches says most.
_REFUSED_CONNECTIONS: tuple[tuple[str, str], ...] = (
    (
        "no password supplied",
        "asks for a password, and DATABASE_URL has none",
    ),
    (
        "password authentication failed|SASL authentication failed|no such user|authentication failed for user",
        "refuses the user or the password of DATABASE_URL",
    ),
    (
        'role ".*" does not exist|is not permitted to log in',
        "has no user of the name in DATABASE_URL that may log in: create it, or correct the name",
    ),
    (
        'database ".*" does not exist|no such database',
        "server has no database of the name in DATABASE_URL: create it, or correct the name",
    ),
    (
        "permission denied for database",
        "does not let the user of DATABASE_URL connect: grant CONNECT",
    ),
    (
        "no pg_hba.conf entry.*no encryption",
        "server accepts this user only from other addresses or with TLS: add ?sslmode=require to DATABASE_URL,"
        " or an entry to pg_hba.conf",
    ),
    (
        "no pg_hba.conf entry|pg_hba.conf rejects",
        "server does not accept this user, database or address: add an entry to pg_hba.conf, or correct DATABASE_URL",
    ),
    (
        "root certificate file",
        "server's certificate cannot be verified: the file in sslrootcert of DATABASE_URL is missing",
    ),
    (
        "certificate verify failed|self.signed certificate",
        "server's certificate is not signed by an authority that sslrootcert in DATABASE_URL trusts",
    ),
    (
        "does not match host name",
        "server's certificate is for another host than the one in DATABASE_URL",
    ),
    (
        "does not support SSL",
        "server offers no TLS, which sslmode in DATABASE_URL requires",
    ),
    (
        "SSL error|SSL SYSCALL|certificate|private key",
        "server and this program cannot agree on TLS: check sslmode and the certificates in DATABASE_URL",
    ),
    (
        "too many (clients|connections)|remaining connection slots|no more connections allowed",
        "server has no free connection: raise max_connections, or start fewer processes",
    ),
    (
        "is (starting up|shutting down|in recovery mode)|not yet accepting connections",
        "server is starting or stopping: wait a moment",
    ),
    (
        "server login has been failing|cannot connect to server|server_login_retry",
        "pooler at DATABASE_URL cannot connect to its own server: read its log",
    ),
    (
        "failed to resolve host|could not translate host name|Name or service not known|name resolution",
        "host in DATABASE_URL is not known: check its spelling, and that DNS works",
    ),
    (
        "on socket .* failed",
        "server does not listen on the Unix socket in DATABASE_URL: start it, or correct the path",
    ),
    (
        "Connection refused",
        "server does not listen at the host and port in DATABASE_URL: start it, or correct them",
    ),
    (
        "connection timeout expired|timed out|No route to host|Network is unreachable",
        "server does not respond at the host and port in DATABASE_URL: check them, the network and its firewalls",
    ),
    (
        "connection failed.*(server closed the connection|invalid response|expected authentication request)",
        "port in DATABASE_URL is not that of PostgreSQL, or its server ends connections",
    ),
    (
        "invalid (connection option|port number|integer value|.* value)|connection is bad",
        "client does not accept an option of DATABASE_URL: check its port and what follows the ?",
    ),
)
_REFUSED = "server refuses the connection: check the host, port, user, password and database in DATABASE_URL"

_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: "file in DATABASE_URL cannot be opened: create its folder, and let this user write to it",
    sqlite3.SQLITE_NOTADB: "file in DATABASE_URL is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "file in DATABASE_URL is damaged: restore it from the backup",
}
_PRIMARY_CODE = 0xFF


def explain(error: SQLAlchemyError) -> str | None:
    """Return a sentence with what to do; None for an error that is a mistake of this program."""
    reason = find_reason(error)
    return f"The database {reason}." if reason else None


def find_reason(error: SQLAlchemyError) -> str | None:
    """Return the same without its subject, "the database", and without the full stop."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    outage = find_outage(error)
    return _find_by_sqlite_code(cause) or _find_by_refusal(cause) or (REASONS[outage] if outage else None)


def _find_by_sqlite_code(cause: BaseException | None) -> str | None:
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else _SQLITE.get(code & _PRIMARY_CODE)


def _find_by_refusal(cause: BaseException | None) -> str | None:
    """Return why a connection never came about: psycopg's error has no code then."""
    if not type(cause).__module__.startswith("psycopg") or getattr(cause, "sqlstate", None) is not None:
        return None
    text = str(cause)
    found = next((reason for pattern, reason in _REFUSED_CONNECTIONS if re.search(pattern, text, re.DOTALL)), None)
    return found or (_REFUSED if text.startswith("connection failed") else None)
