"""Forced colors, such as Windows high contrast: every mark is visible although the browser removes our colors."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Sessions
from tests.browser.page_checks import SET_DETAILS_SCRIPT, find_barriers
from tests.browser.running_demo import RunningDemo

LIST = "/w/harbor/destinations"
FAILED, DISABLED = f"{LIST}/<Old ticket system>", f"{LIST}/<Night shift channel>"

# What the browser paints behind everything.
CANVAS = """(() => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.backgroundColor = "Canvas";
    const color = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return color;
})()"""
# Elements whose box cannot be told from the page: no border, and the background of the page.
FIND_INVISIBLE = """([selector, canvas]) => [...document.querySelectorAll(selector)].filter((element) => {
    const style = getComputedStyle(element);
    const hasBorder = parseFloat(style.borderTopWidth) > 0 && style.borderTopColor !== canvas;
    const isFilled = ![canvas, "rgba(0, 0, 0, 0)"].includes(style.backgroundColor);
    return !hasBorder && !isFilled;
}).map((element) => element.outerHTML)"""
FIND_UNMARKED_FOCUS = """(canvas) => [...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
    .filter((element) => element.checkVisibility() && !element.disabled && !element.matches(".skip"))
    .filter((element) => {
        element.focus();
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
        return outlineStyle !== "solid" || parseFloat(outlineWidth) < 2 || outlineColor === canvas;
    }).map((element) => element.outerHTML)"""
SHOW_PROGRESS = """() => {
    document.getElementById("batch").innerHTML = '<progress value="1" max="2" aria-label="Completed tests"></progress>';
}"""


@pytest.fixture(scope="module", params=["light", "dark"])
def tab(request: pytest.FixtureRequest, chromium: Browser, demo: RunningDemo, sessions: Sessions) -> Iterator[Page]:
    """An admin's tab in forced colors."""
    with chromium.new_context(
        base_url=demo.address,
        storage_state=sessions["admin"],
        color_scheme=request.param,
        forced_colors="active",
        reduced_motion="reduce",
    ) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def shown_list(tab: Page) -> Page:
    """The list, in another tab, which stays there."""
    shown = tab.context.new_page()
    shown.goto(LIST)
    return shown


def find_invisible(tab: Page, selector: str) -> list[str]:
    """List the elements that nobody can see. There must be one to look at."""
    assert tab.locator(selector).count()
    found: list[str] = tab.evaluate(FIND_INVISIBLE, [selector, tab.evaluate(CANVAS)])
    return found


@pytest.mark.parametrize("selector", [".badge", "[role=img] > *", ".tabs a", ".status button", ".button", ".tag"])
def test_every_mark_of_a_list_is_visible(shown_list: Page, selector: str) -> None:
    assert find_invisible(shown_list, selector) == []


@pytest.mark.parametrize("selector", [".tabs a", ".switcher a", ".workspace-tabs a"])
def test_the_current_one_differs_from_the_others(shown_list: Page, selector: str) -> None:
    shown_list.evaluate(SET_DETAILS_SCRIPT, True)
    read = "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
    current = shown_list.locator(f"{selector}[aria-current]").evaluate(read)
    other = shown_list.locator(f"{selector}:not([aria-current])").first.evaluate(read)
    assert current[1] not in (other[1], shown_list.evaluate(CANVAS))
    assert current[0] != current[1]


def test_a_failed_result_differs_from_an_accepted_one_in_more_than_its_color(shown_list: Page) -> None:
    read = "element => [element.offsetHeight, getComputedStyle(element).backgroundColor]"
    sent, failed = (shown_list.locator(f"[role=img] > {mark}").first.evaluate(read) for mark in ("i", "b"))
    assert failed[0] < sent[0]
    assert failed[1] != sent[1]


def test_the_progress_of_test_all_is_visible(shown_list: Page) -> None:
    shown_list.evaluate(SHOW_PROGRESS)
    assert find_invisible(shown_list, "progress") == []
    bar = shown_list.locator("progress").bounding_box()
    assert bar
    done, left = (
        shown_list.screenshot(clip={"x": bar["x"] + bar["width"] * part, "y": bar["y"] + 4, "width": 20, "height": 4})
        for part in (0.25, 0.75)
    )
    assert done != left


@pytest.mark.parametrize("path", [LIST, FAILED, f"{LIST}/new/webhook", "/w/harbor/history"])
def test_the_focus_is_visible_everywhere(tab: Page, demo: RunningDemo, path: str) -> None:
    tab.goto(demo.fill_in(path))
    tab.keyboard.press("Tab")
    assert tab.evaluate(FIND_UNMARKED_FOCUS, tab.evaluate(CANVAS)) == []


def test_a_disabled_button_has_the_systems_color_at_full_strength(tab: Page, demo: RunningDemo) -> None:
    tab.goto(demo.fill_in(DISABLED))
    read = "element => [getComputedStyle(element).opacity, getComputedStyle(element).color]"
    disabled = tab.locator(".send").evaluate(read)
    assert disabled[0] == "1"
    assert disabled[1] != tab.locator(".actions button").first.evaluate(read)[1]


@pytest.mark.parametrize("path", [LIST, FAILED, DISABLED, "/demo/inbox"])
def test_the_page_is_accessible(tab: Page, demo: RunningDemo, path: str) -> None:
    tab.goto(demo.fill_in(path))
    assert find_barriers(tab) == []
