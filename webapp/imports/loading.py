"""Reads an uploaded or pasted file, whatever its format is."""

from webapp.environment.installation import COMMAND
from webapp.imports.found import FileFormat, FileUnreadable, FoundFile
from webapp.imports.reading import decode_file, read_file

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
    file = read_file(decode_file(content), file_format)
    if not file.receivers:
        raise FileUnreadable(" ".join([NONE_FOUND, *file.notes]))
    return file
