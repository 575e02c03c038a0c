"""Recognizes a row that could not be written because the row that it refers to was deleted meanwhile."""

import sqlite3

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

# SQLSTATE: foreign_key_violation.
_FOREIGN_KEY_VIOLATION = "23503"


def is_reference_gone(error: SQLAlchemyError) -> bool:
    """Return whether a row refers to one that does not exist, such as a destination of a deleted workspace."""
    if not isinstance(error, IntegrityError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return cause.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(cause, "sqlstate", None) == _FOREIGN_KEY_VIOLATION
