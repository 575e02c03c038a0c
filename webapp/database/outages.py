"""Finds why the database cannot be used from an exception's error code. Texts differ by language and version."""

import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as DatabaseTimeout


class Outage(StrEnum):
    """Why the database cannot be used, until something outside this program changes."""

    READ_ONLY = "read only"
    FULL = "full"
    NOT_MIGRATED = "not migrated"
    NOT_PERMITTED = "not permitted"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


# SQLSTATE codes, or their first two characters for a whole class.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE = {
    "25006": Outage.READ_ONLY,  # read_only_sql_transaction
    "53100": Outage.FULL,  # disk_full
    "42P01": Outage.NOT_MIGRATED,  # undefined_table
    "42703": Outage.NOT_MIGRATED,  # undefined_column
    "3F000": Outage.NOT_MIGRATED,  # invalid_schema_name
    "42501": Outage.NOT_PERMITTED,  # insufficient_privilege
    "40": Outage.BUSY,  # transaction_rollback: deadlocks
    "53": Outage.BUSY,  # insufficient_resources: memory, connections
    "55P03": Outage.BUSY,  # lock_not_available
    "57014": Outage.BUSY,  # query_canceled: statement_timeout
    "57": Outage.UNREACHABLE,  # operator_intervention: starting up, shutting down, crashed, dropped
    "08": Outage.UNREACHABLE,  # connection_exception
    "58": Outage.UNREACHABLE,  # system_error: the disk fails
    "XX": Outage.UNREACHABLE,  # internal_error: a damaged table
}
# https://www.sqlite.org/rescode.html, primary codes.
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
    sqlite3.SQLITE_FULL: Outage.FULL,
    sqlite3.SQLITE_ERROR: Outage.NOT_MIGRATED,  # a missing table or column, when the statement itself is ours
    sqlite3.SQLITE_BUSY: Outage.BUSY,
    sqlite3.SQLITE_LOCKED: Outage.BUSY,
    sqlite3.SQLITE_NOMEM: Outage.BUSY,
    sqlite3.SQLITE_CANTOPEN: Outage.UNREACHABLE,
    sqlite3.SQLITE_IOERR: Outage.UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: Outage.UNREACHABLE,
    sqlite3.SQLITE_NOTADB: Outage.UNREACHABLE,
}
_PRIMARY_CODE = 0xFF


def find_outage(error: BaseException) -> Outage | None:
    """Return why the database cannot be used; None if the error is another one, such as a mistake of this program."""
    if isinstance(error, DatabaseTimeout):
        return Outage.BUSY
    if not isinstance(error, DBAPIError):
        return None
    outage = _find_by_code(error.orig)
    is_lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return outage or (Outage.UNREACHABLE if is_lost else None)


def _find_by_code(error: BaseException | None) -> Outage | None:
    if isinstance(error, sqlite3.Error):
        return _BY_SQLITE_CODE.get(getattr(error, "sqlite_errorcode", -1) & _PRIMARY_CODE)
    sqlstate = getattr(error, "sqlstate", None) or ""
    return _BY_SQLSTATE.get(sqlstate) or _BY_SQLSTATE.get(sqlstate[:2])
