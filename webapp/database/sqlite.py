"""SQLite as this program uses it: its settings per connection, and how long a transaction waits for another writer."""

import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from webapp.database.request_timeouts import find_limit

# Seconds that a transaction outside web requests waits for another writer.
BUSY_TIMEOUT = 5.0

_HAS_JOURNAL = "journal is set"


def prepare_sqlite(engine: Engine) -> None:
    """Prepare every connection and transaction of an engine."""
    event.listen(engine, "connect", _set_foreign_keys)
    event.listen(engine, "checkout", _set_journal)
    event.listen(engine, "begin", _limit_transaction)


def _set_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _set_journal(connection: Any, record: Any, _proxy: Any) -> None:
    """Set what needs the file, once per connection. Not when it connects: the first ones would wait one by one."""
    if _HAS_JOURNAL in record.info:
        return
    # WAL lets reads and a write run at once. The file stores the mode. Setting it can fail if two processes open a new
    # file at once, and is not worth waiting for.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = WAL")
    _set_busy_timeout(connection)
    connection.execute("PRAGMA synchronous = FULL")
    record.info[_HAS_JOURNAL] = True


def _limit_transaction(connection: Connection) -> None:
    _set_busy_timeout(connection.connection.dbapi_connection)


def _set_busy_timeout(connection: Any) -> None:
    limit = find_limit()
    connection.execute(f"PRAGMA busy_timeout = {(BUSY_TIMEOUT if limit is None else limit) * 1000:.0f}")
