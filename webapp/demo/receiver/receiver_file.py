"""Opens the SQLite file that the receiver and the web process share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

LOCK_WAIT_SECONDS = 5


@contextmanager
def open_file(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction, with the tables of `schema`. It must exist: a deleted one must not come back.

    One connection per use: the receiver has many threads, and an SQLite connection belongs to one thread.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, timeout=LOCK_WAIT_SECONDS, uri=True)) as database, database:
        database.row_factory = sqlite3.Row
        database.execute(schema)
        yield database
