"""Reads an uploaded or pasted file, or one at a path, in whatever format it is, and refuses one without receivers."""

from pathlib import Path
from typing import IO

from webapp.environment.installed_program import COMMAND
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile
from webapp.imports.file_limits import MAX_BYTES
from webapp.imports.format_recognition import decode_file, read_file
from webapp.imports.uptime_kuma import read_database

# How a database of SQLite begins, such as kuma.db.
DATABASE_MAGIC = b"SQLite format 3\x00"

IS_DATABASE = (
    "This is a database, such as kuma.db of Uptime Kuma. It can be imported on the command line only. Ask your "
    f"Alertcheck administrator to run: {COMMAND} import kuma.db --workspace SLUG"
)
NONE_FOUND = "There is no receiver in it. Choose another file."


def load_file(content: bytes, file_format: FileFormat | None = None) -> FoundFile:
    """Return what a file contains. file_format: None to recognize it. Raises `FileUnreadable`."""
    if content.startswith(DATABASE_MAGIC):
        raise FileUnreadable(IS_DATABASE)
    return _check(read_file(decode_file(content), file_format))


def load_stream(stream: IO[bytes], file_format: FileFormat | None) -> FoundFile:
    """Return what a stream contains, as `load_file` does."""
    return load_file(stream.read(2 * MAX_BYTES + 1), file_format)


def load_path(path: Path, file_format: FileFormat | None) -> FoundFile:
    """Return what the file at a path contains, as `load_file` does, also if it is a database of Uptime Kuma.

    Raises `OSError` too.
    """
    with path.open("rb") as stream:
        if file_format is FileFormat.UPTIME_KUMA or stream.peek(len(DATABASE_MAGIC)).startswith(DATABASE_MAGIC):
            return _check(read_database(path))
        return load_stream(stream, file_format)


def _check(file: FoundFile) -> FoundFile:
    if not file.receivers:
        raise FileUnreadable(" ".join([NONE_FOUND, *file.notes]))
    return file
