"""Writes lists as CSV (RFC 4180), block by block, so that no spreadsheet evaluates a formula in them."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from webapp.text.cursors import Cursor
from webapp.text.names import clean_name

# Rows per file.
MAX_ROWS = 100_000

# Rows per query.
BLOCK_SIZE = 1_000

# Without it, Excel reads the file in the encoding of its country.
BYTE_ORDER_MARK = "\ufeff"

# Where a spreadsheet starts a cell, and the characters by which it recognizes a formula there. Excel splits lines at
# the list separator of its country, also inside our quotation marks.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"""((?:^|[;,|\t\r\n])[\s"']*)(?=[=+\-@＝＋－＠])""")

Entry = TypeVar("Entry", covariant=True)
T = TypeVar("T")


class Block(Protocol[Entry]):
    """Some entries of a list. older: where the next ones begin, or None after the last."""

    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def older(self) -> Cursor | None: ...


def write_csv(
    header: Sequence[str],
    list_block: Callable[[Cursor | None, int], Block[T]],
    to_cells: Callable[[T], Iterable[object]],
    release: Callable[[], object],
    max_rows: int = MAX_ROWS,
) -> Iterator[str]:
    """Yield a header and the entries as CSV text. A last line states if there are more than `max_rows`.

    list_block: returns the entries from a position, at most this many. release: gives back what it holds, because a
    slow browser reads for long.
    """
    yield BYTE_ORDER_MARK + _to_lines([header])
    before: Cursor | None = None
    left = max_rows
    while True:
        block = list_block(before, min(BLOCK_SIZE, left))
        lines = _to_lines(to_cells(entry) for entry in block.entries)
        release()
        yield lines
        before, left = block.older, left - len(block.entries)
        if before is None:
            return
        if not left:
            yield _to_lines([[f"The export stops after {max_rows} rows. Narrow the filter to export the others."]])
            return


def format_moment(moment: datetime | None) -> str | None:
    """Return a moment in UTC to the millisecond, in ISO 8601."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None


def _to_lines(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_escape_formulas(cell) for cell in row] for row in rows)
    return text.getvalue()


def _escape_formulas(cell: object) -> object:
    """Return a text on one line, with an apostrophe before each formula that a spreadsheet would evaluate."""
    return _FORMULA.sub(r"\1'", clean_name(cell)) if isinstance(cell, str) else cell
