"""Runs the migrations: all of them or none, and one process at a time."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from webapp.extensions import Base

LOCK = 7_264_031_902
"""Any number of ours: the PostgreSQL advisory lock that other hosts wait for while one migrates."""

PATIENCE = 10 * 60 * 1000
"""Milliseconds that SQLite waits for another process to migrate; a request would give up far earlier."""


def take_lock(connection: Connection) -> None:
    """Wait for the right to migrate; it is given back at the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


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
            context.run_migrations()
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Migrations look at the data first, so they need a database: leave out --sql.")
run()
