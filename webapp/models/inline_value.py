"""Our own constants in the text of a statement instead of among its parameters."""

import re
from typing import Any

from sqlalchemy import ColumnElement, literal_column

# What a constant may consist of, so that nothing that a visitor sends can get into a text.
_WORD = re.compile(r"[a-z]+([._][a-z]+)*")


def inline(value: str | int) -> ColumnElement[Any]:
    """Return a constant that a database knows when it plans a statement. Raises `ValueError` for anything but a word.

    With a parameter, a plan of PostgreSQL for any values ignores how rare the value is and every partial index, and
    SQLite would plan the statement anew at each execution to find one.
    """
    if isinstance(value, int):
        return literal_column(str(int(value)))
    if not _WORD.fullmatch(value):
        raise ValueError("not a constant of a statement")
    return literal_column(f"'{value}'")
