"""The evidence report on paper: all of it, on numbered pages, and nothing to press."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import OpenTab, Sessions
from tests.browser.running_demo import RunningDemo

A4 = ViewportSize(width=1020, height=700)  # landscape, without its margins


@pytest.fixture(scope="module")
def paper(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> Iterator[Page]:
    """The report as a viewer prints it from a browser in dark mode."""
    with chromium.new_context(
        base_url=demo.address, storage_state=sessions["viewer"], color_scheme="dark", viewport=A4
    ) as context:
        tab = context.new_page()
        tab.goto("/w/harbor/evidence")
        tab.emulate_media(media="print")
        yield tab


def test_nothing_to_press_is_printed(paper: Page) -> None:
    pressed = paper.locator("button, input:not([type=hidden]), .tabs, .workspace-tabs, .filters, .filters a")
    assert pressed.count() > 5
    assert pressed.filter(visible=True).all_text_contents() == []


def test_text_is_black_on_white_in_dark_mode(paper: Page) -> None:
    read = "element => getComputedStyle(element).color"
    for selector in (".evidence h2", ".report-table thead th", ".report-table .number", ".evidence .note"):
        assert paper.locator(selector).first.evaluate(read) == "rgb(0, 0, 0)"
    background = paper.locator("body").evaluate("element => getComputedStyle(element).backgroundColor")
    assert background == "rgb(255, 255, 255)"


def test_no_row_is_cut_and_every_page_repeats_the_head_of_its_table(paper: Page) -> None:
    rows = paper.locator(".report-table tr, .population tbody")
    assert set(rows.evaluate_all("rows => rows.map(row => getComputedStyle(row).breakInside)")) == {"avoid"}
    heads = paper.locator(".report-table thead")
    assert set(heads.evaluate_all("all => all.map(head => getComputedStyle(head).display)")) == {"table-header-group"}


def test_no_column_is_wider_than_the_page(paper: Page) -> None:
    wide = "tables => tables.filter(table => table.scrollWidth > table.parentElement.clientWidth + 1).length"
    assert paper.locator(".report-table").evaluate_all(wide) == 0


def test_the_pages_are_landscape(paper: Page) -> None:
    sizes = re.findall(rb"/MediaBox \[0 0 (\d+)[\d.]* (\d+)", paper.pdf(prefer_css_page_size=True))
    assert len(sizes) > 1
    assert set(sizes) == {(b"841", b"594")} or set(sizes) == {(b"842", b"595")}


def test_the_report_fits_a_narrow_screen(open_tab: OpenTab, sessions: Sessions) -> None:
    tab = open_tab(storage_state=sessions["viewer"], viewport={"width": 360, "height": 800})
    tab.goto("/w/harbor/evidence")
    expect(tab.get_by_role("heading", name="Totals")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
