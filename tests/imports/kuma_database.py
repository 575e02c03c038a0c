"""Makes databases as Uptime Kuma has them."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

# The table as Uptime Kuma creates it.
SCHEMA = (
    "CREATE TABLE notification (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(255), "
    "active BOOLEAN NOT NULL DEFAULT 1, user_id INTEGER, is_default BOOLEAN NOT NULL DEFAULT 0, config TEXT)"
)


def make_database(path: Path, configs: Sequence[Mapping[str, object]]) -> Path:
    """Write a database with these notifications, named by `name`."""
    rows = [(config.get("name"), json.dumps(config)) for config in configs]
    return run_script(path, [SCHEMA], rows)


def run_script(path: Path, statements: Sequence[str], rows: Sequence[tuple[object, object]] = ()) -> Path:
    """Write a database with these statements and rows."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        if rows:
            connection.executemany("INSERT INTO notification (name, config) VALUES (?, ?)", rows)
        connection.commit()
    return path
