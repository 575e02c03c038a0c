"""Adds the same rows to many databases: through the models once, then with the statements that this executed.

A file of SQLite that no connection has opened is replaced by a copy of the first one, which takes less time still.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import Connection, event, exists, select

from webapp.extensions import db
from webapp.models import Account, Workspace

Result = TypeVar("Result")


@dataclass
class Recording:
    """What adding rows to an empty database executed, and what it returned."""

    result: Any = None
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def note(self, _connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        """Keep a statement that changes rows."""
        if not statement.startswith("SELECT"):
            self.statements.append((statement, parameters))

    def repeat(self, connection: Connection) -> None:
        """Execute the statements again."""
        for statement, parameters in self.statements:
            connection.exec_driver_sql(statement, parameters)


@dataclass(frozen=True)
class RecordedFile:
    """A file of SQLite before and after the rows were added, and what adding them returned."""

    before: bytes
    after: bytes
    result: Any


_recordings: dict[Hashable, Recording] = {}
_files: dict[Hashable, RecordedFile] = {}


def add_once(app: Flask, add: Callable[[], Result], *depends_on: Hashable) -> Result:
    """Return what `add` returns, which runs once for each kind of database. In the others it is repeated.

    depends_on: all that its rows depend on. They must not depend on the time or on other rows, so in a database that
    already has some, `add` runs itself.
    """
    with app.app_context():
        file = _find_unopened_file()
        return _fill(file, add, depends_on) if file else _add(add, depends_on)


def _find_unopened_file() -> Path | None:
    """Return the database if it is a file of SQLite that no connection has read: it has no log beside it then."""
    name = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or name is None or Path(f"{name}-wal").exists():
        return None
    return Path(name)


def _fill(file: Path, add: Callable[[], Result], depends_on: tuple[Hashable, ...]) -> Result:
    before = file.read_bytes()
    recorded = _files.get(depends_on)
    if recorded and recorded.before == before:
        file.write_bytes(recorded.after)
        copied: Result = recorded.result
        return copied
    result = _add(add, depends_on)
    if not recorded:
        # The last connection to close writes the log into the file. To read the file while one is open would end all
        # locks of this process on it, so that another process that closes it could remove the log in use.
        db.session.remove()
        db.engine.dispose()
        _files[depends_on] = RecordedFile(before, file.read_bytes(), result)
    return result


def _add(add: Callable[[], Result], depends_on: tuple[Hashable, ...]) -> Result:
    key = (db.engine.dialect.name, *depends_on)
    with db.engine.begin() as connection:
        is_empty = not connection.scalar(_HAS_ROWS)
        if is_empty and key in _recordings:
            _recordings[key].repeat(connection)
            repeated: Result = _recordings[key].result
            return repeated
    recording, result = _record(add)
    if is_empty:
        _recordings[key] = recording
    return result


_HAS_ROWS = select(exists(select(Workspace.id)) | exists(select(Account.id)))


def _record(add: Callable[[], Result]) -> tuple[Recording, Result]:
    recording = Recording()
    event.listen(db.engine, "before_cursor_execute", recording.note)
    try:
        recording.result = result = add()
    finally:
        event.remove(db.engine, "before_cursor_execute", recording.note)
    return recording, result
