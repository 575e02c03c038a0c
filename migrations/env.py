"""Runs the migrations in one transaction, one process at a time."""

import logging
import sqlite3
import time
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, column, delete, insert, inspect, select, table
from sqlalchemy.exc import OperationalError

from webapp.extensions import Base

# The id of our PostgreSQL advisory lock, an arbitrary number. Other hosts wait for it while one migrates.
LOCK_ID = 7_264_031_902

# Milliseconds that SQLite waits for another process to migrate, much longer than a request waits.
LOCK_TIMEOUT = 10 * 60 * 1000

# The `db` commands show the records of this logger.
log = logging.getLogger("alembic.env")

COUNTERS = table("sqlite_sequence", column("name"), column("seq"))


def acquire_lock(connection: Connection) -> None:
    """Wait for the migration lock, which is held until the end of the transaction."""
    if try_lock(connection):
        return
    log.info("Another process is changing the database. Waiting for it to finish.")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_ID})")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {LOCK_TIMEOUT}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def try_lock(connection: Connection) -> bool:
    """Take the lock if it is free."""
    if connection.dialect.name == "postgresql":
        return bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({LOCK_ID})").scalar())
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


class Stopwatch:
    """Logs how long each step took."""

    def __init__(self) -> None:
        self._started_at = time.monotonic()

    def report(self, *, step: Any, **_facts: Any) -> None:
        """Called by Alembic after each step."""
        now = time.monotonic()
        log.info("  done after %.1f s", now - self._started_at)
        self._started_at = now


def read_counters(connection: Connection) -> dict[str, int]:
    """Return the last id of each table on SQLite; empty on PostgreSQL, whose sequences survive a migration."""
    if not inspect(connection).has_table("sqlite_sequence"):
        return {}
    return {row.name: row.seq for row in connection.execute(select(COUNTERS))}


def restore_counters(connection: Connection, before: dict[str, int]) -> None:
    """Restore the last ids. SQLite alters a table by copying it, and would then reuse the ids of deleted rows."""
    after = read_counters(connection)
    for name, last_id in before.items():
        connection.execute(delete(COUNTERS).where(COUNTERS.c.name == name))
        connection.execute(insert(COUNTERS).values(name=name, seq=max(last_id, after.get(name, 0))))


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        acquire_lock(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_server_default=True,
            on_version_apply=Stopwatch().report,
        )
        with context.begin_transaction():
            counters = read_counters(connection)
            context.run_migrations()
            restore_counters(connection, counters)
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Migrations check the data first, so they need a database. Omit --sql.")
run()
