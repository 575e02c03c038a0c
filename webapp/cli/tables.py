"""Prints tables and days for people at a terminal."""

from collections.abc import Sequence
from datetime import datetime

import click

# Stands where there is nothing to show, so that a program can split a line into its columns.
NOTHING = "-"


def echo_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below the titles of their columns. The last column, a name for example, may contain blanks."""
    table = [titles, *([cell or NOTHING for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(titles))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def format_day(moment: datetime | None) -> str:
    """Return the day of a moment, in UTC, such as 2026-05-04; empty if there is none."""
    return f"{moment:%Y-%m-%d}" if moment else ""
