"""SQLite as this program uses it: its settings per connection, and how long a transaction waits for another writer."""

import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from webapp.database.request_limits import find_limit

# Seconds that a transaction outside web requests waits for another writer.
BUSY_TIMEOUT = 5.0


def prepare_sqlite(engine: Engine) -> None:
    """Prepare every connection and transaction of an engine."""
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _limit_transaction)


def _set_pragmas(connection: Any, _record: Any) -> None:
    # WAL lets reads and a write run at once. The file stores the mode, so no time is lost on it here. Setting it can
    # fail if two processes open a new file at once.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = WAL")
    _set_busy_timeout(connection)
    for pragma in ("foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _limit_transaction(connection: Connection) -> None:
    _set_busy_timeout(connection.connection.dbapi_connection)


def _set_busy_timeout(connection: Any) -> None:
    limit = find_limit()
    connection.execute(f"PRAGMA busy_timeout = {(BUSY_TIMEOUT if limit is None else limit) * 1000:.0f}")
