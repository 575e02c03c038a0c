"""Pages on paper: black on white also in dark mode, exact times, and nothing to press."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, Sessions
from tests.browser.running_demo import RunningDemo

# A relative time has the exact one in its text, any other one in an attribute.
READ_TIME = """(time) => time.dataset.exact ? JSON.parse(getComputedStyle(time, "::before").content) : time.innerText"""


@pytest.fixture(params=["/w/harbor/destinations/<Old ticket system>", "/w/harbor/history", "/w/harbor/destinations"])
def paper(request: pytest.FixtureRequest, open_tab: OpenTab, sessions: Sessions, demo: RunningDemo) -> Page:
    """A page as it is printed from a browser in dark mode."""
    tab = open_tab(storage_state=sessions["admin"], color_scheme="dark")
    tab.goto(demo.fill_in(request.param))
    tab.emulate_media(media="print")
    return tab


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
    time = paper.locator("main time").first
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", time.evaluate(READ_TIME))
    expect(time.locator("span").first).to_be_hidden()
    assert paper.locator(".zone-note").filter(visible=True).count() == 0
