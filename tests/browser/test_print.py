"""Pages on paper: black on white also in dark mode, exact times, and nothing to press."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Sessions
from tests.browser.running_demo import RunningDemo

READ_TIME = """(time) => JSON.parse(getComputedStyle(time, time.dataset.exact ? "::before" : "::after").content)"""
IS_AGE_HIDDEN = """(time) => getComputedStyle(time.dataset.exact ? time.firstElementChild : time).display === "none" ||
    getComputedStyle(time).fontSize === "0px" """


PRINTED = ["/w/harbor/destinations/<Old ticket system>", "/w/harbor/history", "/w/harbor/destinations"]


@pytest.fixture(scope="module", params=PRINTED)
def paper(request: pytest.FixtureRequest, chromium: Browser, sessions: Sessions, demo: RunningDemo) -> Iterator[Page]:
    """A page as it is printed from a browser in dark mode."""
    with chromium.new_context(
        base_url=demo.address, storage_state=sessions["admin"], color_scheme="dark", reduced_motion="reduce"
    ) as context:
        tab = context.new_page()
        tab.goto(demo.fill_in(request.param))
        tab.emulate_media(media="print")
        yield tab


def test_nothing_to_press_is_printed(paper: Page) -> None:
    pressed = paper.locator("button, .button, input:not([type=hidden]), select, .workspace-tabs")
    assert pressed.count() > 0
    assert pressed.filter(visible=True).all_text_contents() == []


def test_text_is_black_on_white(paper: Page) -> None:
    read = "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
    assert paper.locator("body").evaluate(read) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert paper.locator("h1").evaluate(read)[0] == "rgb(0, 0, 0)"


def test_the_workspace_and_exact_times_are_printed(paper: Page) -> None:
    expect(paper.locator(".switcher summary")).to_have_text("Harbor Logistics")
    expect(paper.locator(".switcher summary")).to_be_visible()
    time = paper.locator("main time, main [data-ago]").first
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", time.evaluate(READ_TIME))
    assert time.evaluate(IS_AGE_HIDDEN)
    assert paper.locator(".zone-note").filter(visible=True).count() == 0
