"""Checks the database with a write transaction that is rolled back."""

import secrets
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.outages import Reason, find_predicate
from webapp.database.revision import find_schema_problem
from webapp.database.sessions import discard_transaction
from webapp.extensions import db
from webapp.models import AlertDelivery, Workspace

# Bytes: about what a press and its outcome need.
SPACE = 64 * 1024

# Changes no row, but needs the lock and the permission that a press needs.
_LOCK_OF_A_PRESS = delete(AlertDelivery).where(AlertDelivery.id < 0)


def check_database() -> str:
    """Return "ok", or what is wrong, without an address or the text of an error."""
    try:
        problem = find_schema_problem(db.session.connection())
        return problem.predicate if problem else _write()
    except SQLAlchemyError as error:
        return find_predicate(error)
    finally:
        discard_transaction()


def _write() -> str:
    connection = db.session.connection()
    connection.execute(_LOCK_OF_A_PRESS)
    # Random, because another process may be checking too: equal keys would wait for each other.
    values = {"id": -1 - secrets.randbits(40), "slug": secrets.token_hex(16), "created_at": datetime.now(UTC)}
    connection.execute(insert(Workspace), values | {"name": "readiness"})
    return _check_space(connection) if connection.dialect.name == "sqlite" else "ok"


def _check_space(connection: Connection) -> str:
    """Write a file beside that of SQLite, which finds only during a commit that the disk is full."""
    database = connection.exec_driver_sql("PRAGMA database_list").first()
    try:
        with TemporaryFile(dir=Path(database.file).parent if database else None, buffering=0) as file:
            written = file.write(bytes(SPACE))
    except OSError as error:
        return Reason.FULL.predicate if error.errno in (ENOSPC, EDQUOT) else f"fails ({type(error).__name__})"
    return "ok" if written == SPACE else Reason.FULL.predicate
