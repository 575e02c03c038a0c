"""Publishes the result of a benchmark as a table on the screen, as JSON and as a picture."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
PACKAGES = ("flask", "sqlalchemy", "rq", "requests", "gunicorn")
BAR, ROW, LETTER = 360, 26, 7


@dataclass(frozen=True)
class Table:
    """Rows of a label and numbers. columns: the headings with units. bars: the column that the picture shows."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, *tuple[float, ...]]]
    bars: int = 0


def publish(table: Table) -> None:
    """Print a table, and write it to `results/NAME.json` and `results/NAME.svg`."""
    print(f"\n{table.title}\n{describe_machine()}\n\n{format_table(table)}\n", flush=True)
    RESULTS.mkdir(exist_ok=True)
    rows = [dict(zip(("", *table.columns), row, strict=True)) for row in table.rows]
    document = {"title": table.title, "machine": describe_machine(), "rows": rows}
    (RESULTS / f"{table.name}.json").write_text(json.dumps(document, indent=2) + "\n")
    (RESULTS / f"{table.name}.svg").write_text(draw(table))


def describe_machine() -> str:
    """Return the machine and the versions of the main packages."""
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"


def format_table(table: Table) -> str:
    """Format a table for a terminal."""
    cells = [["", *table.columns], *([row[0], *map(_format_number, row[1:])] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    return "\n".join(
        "  ".join([row[0].strip().ljust(widths[0]), *line[1:]]) for row, line in zip(cells, lines, strict=True)
    )


def draw(table: Table) -> str:
    """Draw one column as bars that are readable on a light and on a dark background."""
    values = [float(row[1 + table.bars]) for row in table.rows]
    longest, label = max(values) or 1, LETTER * max(len(row[0]) for row in table.rows) + 8
    height = ROW * (len(values) + 1) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{label + BAR + 90}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#7a8599">',
        f'<text x="0" y="16" font-weight="600">{escape(table.title)}: {escape(table.columns[table.bars])}</text>',
    ]
    for number, (row, value) in enumerate(zip(table.rows, values, strict=True), start=1):
        top = ROW * number + 4
        parts += [
            f'<text x="0" y="{top + 15}">{escape(row[0])}</text>',
            f'<rect x="{label}" y="{top + 2}" width="{BAR * value / longest:.0f}" height="16" rx="2" fill="#2f7fb8"/>',
            f'<text x="{label + BAR * value / longest + 8:.0f}" y="{top + 15}">{_format_number(value)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
