"""Reads the bytes of a file as text, within a bound."""

import codecs

from webapp.environment.installation import COMMAND
from webapp.imports.found import FileUnreadable, FoundFile

# Bytes of a file.
MAX_SIZE = 1024 * 1024

# Receivers of a file.
MAX_ROWS = 1000

# How a database of SQLite begins, such as kuma.db.
DATABASE_MAGIC = b"SQLite format 3\x00"

TOO_LARGE = "The file is larger than 1 MiB, which is the most that can be imported. Split it, and import each part."
TOO_MANY = (
    f"The file has more than {MAX_ROWS:,} receivers, which is the most that can be imported at once. Split it, and "
    "import each part."
)
IS_DATABASE = (
    "This is a database, such as kuma.db of Uptime Kuma. Databases are imported on the command line only: "
    f"{COMMAND} import kuma.db --workspace SLUG. Ask your Alertcheck administrator."
)
NOT_TEXT = "This is not a text file. Choose a file such as alertmanager.yml, or paste its text."
IS_EMPTY = "The file is empty. Choose another one."

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def decode(content: bytes) -> str:
    """Return the text of a file. Raises `FileUnreadable`."""
    if len(content) > MAX_SIZE:
        raise FileUnreadable(TOO_LARGE)
    if content.startswith(DATABASE_MAGIC):
        raise FileUnreadable(IS_DATABASE)
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileUnreadable(NOT_TEXT) from None
    if "\x00" in text:
        raise FileUnreadable(NOT_TEXT)
    if not text.strip():
        raise FileUnreadable(IS_EMPTY)
    return text


def check_rows(file: FoundFile) -> FoundFile:
    """Return the file. Raises `FileUnreadable` if it has too many receivers, or none."""
    if len(file.receivers) > MAX_ROWS:
        raise FileUnreadable(TOO_MANY)
    if not file.receivers:
        notes = " ".join(("The file has no receivers.", *file.notes, "Choose another one."))
        raise FileUnreadable(notes)
    return file
