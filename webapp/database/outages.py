"""Finds why the database cannot be used from an exception: by its code, and for a refused connection by its words."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from webapp.database.connection_errors import find_connection_reason
from webapp.database.outage_reasons import Outage, Reason

__all__ = ["Outage", "Reason", "describe_outage", "find_outage", "find_predicate", "find_reason", "took_too_long"]

# SQLSTATE codes, or their first two characters for a whole class.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE = {
    "25006": Reason.READ_ONLY,  # read_only_sql_transaction
    "28P01": Reason.WRONG_PASSWORD,  # invalid_password
    "28": Reason.SIGN_IN_REFUSED,  # invalid_authorization_specification
    "3D000": Reason.NO_DATABASE,  # invalid_catalog_name
    "3F000": Reason.NOT_MIGRATED,  # invalid_schema_name
    "42501": Reason.NO_PRIVILEGE,  # insufficient_privilege
    "42703": Reason.NOT_MIGRATED,  # undefined_column
    "42P01": Reason.NOT_MIGRATED,  # undefined_table
    "40": Reason.BUSY,  # transaction_rollback: deadlocks
    "53100": Reason.FULL,  # disk_full
    "53300": Reason.TOO_MANY,  # too_many_connections
    "53": Reason.BUSY,  # insufficient_resources: memory
    "55P03": Reason.BUSY,  # lock_not_available
    "57014": Reason.BUSY,  # query_canceled: statement_timeout
    "57P03": Reason.STARTING,  # cannot_connect_now
    "57": Reason.CLOSED,  # operator_intervention: shutting down, crashed, dropped
    "58": Reason.SERVER_ERROR,  # system_error: the disk fails
    "XX": Reason.SERVER_ERROR,  # internal_error: a damaged table
}
# https://www.sqlite.org/rescode.html, primary codes.
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_READONLY: Reason.READ_ONLY_FILE,
    sqlite3.SQLITE_FULL: Reason.FULL,
    sqlite3.SQLITE_ERROR: Reason.NOT_MIGRATED,  # a missing table or column, when the statement itself is ours
    sqlite3.SQLITE_BUSY: Reason.BUSY,
    sqlite3.SQLITE_LOCKED: Reason.BUSY,
    sqlite3.SQLITE_NOMEM: Reason.BUSY,
    sqlite3.SQLITE_CANTOPEN: Reason.CANNOT_OPEN,
    sqlite3.SQLITE_IOERR: Reason.SERVER_ERROR,
    sqlite3.SQLITE_CORRUPT: Reason.DAMAGED,
    sqlite3.SQLITE_NOTADB: Reason.DAMAGED,
}
_PRIMARY_CODE = 0xFF
_QUERY_CANCELED = "57014"
# SQLSTATE of every refusal by PgBouncer.
_PROTOCOL_VIOLATION = "08P01"


def find_outage(error: BaseException) -> Outage | None:
    """Return why the database cannot be used; None if the error is another one, such as a mistake of this program."""
    reason = find_reason(error)
    return reason.outage if reason else None


def describe_outage(error: BaseException) -> str | None:
    """Return a sentence for administrators, with the cure and without a quote from the error; None as `find_outage`."""
    reason = find_reason(error)
    return reason.sentence if reason else None


def find_reason(error: BaseException) -> Reason | None:
    """Return why the database cannot be used, as exactly as it is known; None as `find_outage`."""
    if isinstance(error, DatabaseTimeout):
        return Reason.BUSY
    if not isinstance(error, DBAPIError):
        return None
    is_lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return _find_by_code(error.orig) or _find_by_words(error.orig) or (Reason.UNREACHABLE if is_lost else None)


def took_too_long(error: BaseException) -> bool:
    """Return whether PostgreSQL ended the statement itself because of its time limit."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED


def find_predicate(error: SQLAlchemyError) -> str:
    """Return the rest of a sentence about the database: why it cannot be used, or the type of an unknown error."""
    reason = find_reason(error)
    return reason.predicate if reason else f"fails ({type(error).__name__})"


def _find_by_code(error: BaseException | None) -> Reason | None:
    if isinstance(error, sqlite3.Error):
        return _BY_SQLITE_CODE.get(getattr(error, "sqlite_errorcode", -1) & _PRIMARY_CODE)
    if getattr(error, "is_standby", False):
        return Reason.STANDBY
    sqlstate = getattr(error, "sqlstate", None) or ""
    return _BY_SQLSTATE.get(sqlstate) or _BY_SQLSTATE.get(sqlstate[:2])


def _find_by_words(error: BaseException | None) -> Reason | None:
    """Return the reason for an error that has no code, or the one code of a pooler."""
    if isinstance(error, sqlite3.Error) or getattr(error, "sqlstate", None) not in (None, _PROTOCOL_VIOLATION):
        return None
    return find_connection_reason(str(error))
