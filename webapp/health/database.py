"""Checks the database with a write transaction that is rolled back."""

import secrets
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, String, column, delete, insert, select, table
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.outages import Outage, find_outage
from webapp.database.sessions import discard_transaction
from webapp.extensions import db
from webapp.models import AlertDelivery, Workspace

REASONS = {
    Outage.BUSY: "is busy: it is locked, or has no free connection",
    Outage.UNREACHABLE: "is not available: it does not respond, or refuses the connection",
    Outage.READ_ONLY: "accepts no changes: it is read-only",
    Outage.FULL: "has no space left",
    Outage.NOT_MIGRATED: "is not migrated: run flask --app wsgi db upgrade",
}

# Bytes: about what a press and its outcome need.
SPACE = 64 * 1024

_VERSION = select(column("version_num", String)).select_from(table("alembic_version"))
# Changes no row, but needs the lock and the permission that a press needs.
_LOCK_OF_A_PRESS = delete(AlertDelivery).where(AlertDelivery.id < 0)


def check_database() -> str:
    """Return "ok", or what is wrong, without an address or the text of an error."""
    try:
        return _find_old_version() or _write()
    except SQLAlchemyError as error:
        outage = find_outage(error)
        return REASONS[outage] if outage else f"fails ({type(error).__name__})"
    finally:
        discard_transaction()


def _find_old_version() -> str | None:
    """Return a reason if the schema is older than this program. A newer one belongs to an upgrade under way."""
    found = set(db.session.scalars(_VERSION))
    head, known = _list_versions()
    return None if head in found or not found <= known else REASONS[Outage.NOT_MIGRATED]


@cache
def _list_versions() -> tuple[str | None, frozenset[str]]:
    """Return the newest schema version, and all of them."""
    scripts = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


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
        return REASONS[Outage.FULL] if error.errno in (ENOSPC, EDQUOT) else f"fails ({type(error).__name__})"
    return "ok" if written == SPACE else REASONS[Outage.FULL]
