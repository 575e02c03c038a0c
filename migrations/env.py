"""Runs the migrations: all of them or none, and one process at a time."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, column, delete, insert, inspect, select, table

from webapp.extensions import Base

LOCK = 7_264_031_902
"""Any number of ours: the PostgreSQL advisory lock that other hosts wait for while one migrates."""

PATIENCE = 10 * 60 * 1000
"""Milliseconds that SQLite waits for another process to migrate; a request would give up far earlier."""

COUNTERS = table("sqlite_sequence", column("name"), column("seq"))


def take_lock(connection: Connection) -> None:
    """Wait for the right to migrate; it is given back at the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def read_counters(connection: Connection) -> dict[str, int]:
    """Read how far SQLite has counted in each table; nothing on PostgreSQL, which keeps count by itself."""
    if not inspect(connection).has_table("sqlite_sequence"):
        return {}
    return {row.name: row.seq for row in connection.execute(select(COUNTERS))}


def restore_counters(connection: Connection, before: dict[str, int]) -> None:
    """Count on from there: SQLite alters a table by copying it, and would give the ids of deleted rows again."""
    after = read_counters(connection)
    for name, last_id in before.items():
        connection.execute(delete(COUNTERS).where(COUNTERS.c.name == name))
        connection.execute(insert(COUNTERS).values(name=name, seq=max(last_id, after.get(name, 0))))


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        take_lock(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            transactional_ddl=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            counters = read_counters(connection)
            context.run_migrations()
            restore_counters(connection, counters)
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Migrations look at the data first, so they need a database: leave out --sql.")
run()
