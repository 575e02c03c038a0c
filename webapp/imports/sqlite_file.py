"""Reads a table of a SQLite file that somebody else made, within limits. Nothing in the file is trusted.

Source: sqlite.org/security.html, "Untrusted SQLite Database Files".
"""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_limits import MAX_RECEIVERS

# The history of a large installation has gigabytes. Only the pages of one table are read.
MAX_FILE = 32 * 1024**3

# Characters of a row's settings, bytes of anything that SQLite handles at once, and seconds for everything.
MAX_CONFIG = 64 * 1024
MAX_VALUE = 1024 * 1024
TIME_LIMIT = 10.0

_STEPS_BETWEEN_CHECKS = 1000
_NOT_KUMA = "This is not a database of Uptime Kuma. Choose the file kuma.db in its data folder."
_DAMAGED = "The database cannot be read: it is damaged, or no database of Uptime Kuma. Choose another copy of kuma.db."

# A table, but neither a view nor a virtual table, whose rows could come from elsewhere.
_FIND_TABLE = "SELECT count(*) FROM sqlite_schema WHERE name = 'notification' AND type = 'table' AND rootpage > 0"
# Columns that SQLite computes: a single call of a function could take hours, and nothing could stop it.
_FIND_COMPUTED = "SELECT count(*) FROM pragma_table_xinfo('notification') WHERE hidden <> 0"
# One row more than allowed, to tell that there are more.
_FIND_ROWS = (
    "SELECT substr(CAST(name AS TEXT), 1, 500), CASE WHEN length(config) <= ? THEN CAST(config AS TEXT) END "
    "FROM notification LIMIT ?"
)
_READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION))


def read_notifications(path: Path) -> list[tuple[str, str | None]]:
    """Return the name and the settings of each notification; None for settings that are too long.

    Raises `FileUnreadable`.
    """
    _check_file(path)
    try:
        with _open(path) as connection:
            return _read_rows(connection)
    except (sqlite3.Error, sqlite3.Warning, OverflowError):
        problem = _DAMAGED
    # Outside of the handler, because the errors of SQLite may quote the file.
    raise FileUnreadable(problem)


def _check_file(path: Path) -> None:
    """Raise `FileUnreadable` unless the path leads to a file: opening a pipe or a device could wait for ever."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        problem = "The file cannot be opened. Check its path, and that this user may read it."
    else:
        if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_FILE:
            return
        problem = _NOT_KUMA
    raise FileUnreadable(problem)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file so that nothing is written, neither to it nor beside it, and stop after the time limit."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.text_factory = _decode
        for limit, value in ((sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE), (sqlite3.SQLITE_LIMIT_ATTACHED, 0)):
            connection.setlimit(limit, value)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        _check_table(connection)
        connection.set_authorizer(_authorize)
        deadline = monotonic() + TIME_LIMIT
        connection.set_progress_handler(lambda: int(monotonic() > deadline), _STEPS_BETWEEN_CHECKS)
        yield connection


def _check_table(connection: sqlite3.Connection) -> None:
    tables, computed = (connection.execute(query).fetchone()[0] for query in (_FIND_TABLE, _FIND_COMPUTED))
    if tables != 1 or computed != 0:
        raise FileUnreadable(_NOT_KUMA)


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")


def _authorize(action: int, table: str | None, *_: str | None) -> int:
    """Allow reading alone."""
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _read_rows(connection: sqlite3.Connection) -> list[tuple[str, str | None]]:
    rows = connection.execute(_FIND_ROWS, (MAX_CONFIG, MAX_RECEIVERS + 1)).fetchall()
    return [(name or "", config) for name, config in rows]
