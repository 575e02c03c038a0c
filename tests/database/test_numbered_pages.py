"""Numbered pages of lists."""

import pytest

from webapp.database.numbered_pages import LAST_PAGE, PAGE_SIZE, cut_page, parse_page


@pytest.mark.parametrize(
    ("total", "asked", "number", "pages", "shown"),
    [
        (0, 1, 1, 1, 0),
        (PAGE_SIZE, 1, 1, 1, PAGE_SIZE),
        (PAGE_SIZE + 1, 1, 1, 2, PAGE_SIZE),
        (PAGE_SIZE + 1, 2, 2, 2, 1),
        (PAGE_SIZE + 1, 3, 2, 2, 1),
    ],
)
def test_a_page_past_the_end_is_the_last_one(total: int, asked: int, number: int, pages: int, shown: int) -> None:
    page = cut_page(range(total), asked)

    assert (page.number, page.pages, page.total, len(page.rows)) == (number, pages, total, shown)


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("1", 1), (str(LAST_PAGE + 1), LAST_PAGE)]
)
def test_anything_but_a_number_is_the_first_page(text: str, number: int) -> None:
    assert parse_page(text) == number
