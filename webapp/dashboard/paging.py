"""Cuts lists into numbered pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

# Rows per page.
PAGE_SIZE = 50

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list. total: rows on all pages. number: starts at 1. pages: at least 1."""

    rows: Sequence[Row]
    total: int
    number: int
    pages: int


def cut_page(rows: Sequence[Row], number: int) -> Page[Row]:
    """Return the requested page; past the end, the last one."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    number = min(number, pages)
    return Page(rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], len(rows), number, pages)


def parse_page(text: str) -> int:
    """Read the number of a page from a URL. Anything else counts as the first page."""
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
