"""The bars in a real browser: with the keyboard alone, on a phone, and their menus."""

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.conftest import OpenTab, Sessions
from tests.browser.running_demo import RunningDemo
from tests.browser.test_journey import press_tab_until_focused

LIST = "/w/harbor/destinations"
PHONE = ViewportSize(width=360, height=740)


def link(tab: Page, bar: str, name: str) -> Locator:
    return tab.get_by_role("navigation", name=bar, exact=True).get_by_role("link", name=name, exact=True)


def follow(tab: Page, bar: str, name: str) -> None:
    """Follow a link of a bar with the keyboard alone."""
    press_tab_until_focused(tab, link(tab, bar, name))
    tab.keyboard.press("Enter")
    expect(link(tab, bar, name)).to_have_attribute("aria-current", "page")


@pytest.fixture(params=["desktop", "phone"])
def keyboard_tab(request: pytest.FixtureRequest, open_tab: OpenTab, sessions: Sessions) -> Page:
    """A tab in which an admin is signed in, on a desktop and on a phone."""
    size = {"viewport": PHONE} if request.param == "phone" else {}
    return open_tab(storage_state=sessions["admin"], **size)


def test_every_place_is_reached_with_the_keyboard_alone(keyboard_tab: Page) -> None:
    tab = keyboard_tab
    tab.goto(LIST)
    follow(tab, "Workspace", "History")
    follow(tab, "Workspace", "Settings")
    expect(link(tab, "Settings", "Members")).to_have_attribute("aria-current", "page")
    follow(tab, "Settings", "Audit trail")
    follow(tab, "Workspace", "Destinations")
    follow(tab, "All workspaces", "What is broken")


def test_the_account_menu_signs_out_with_the_keyboard_alone(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.goto("/")
    tab.get_by_role("button", name="Try the demo as viewer").click()
    press_tab_until_focused(tab, tab.locator(".account summary"))
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Your account")).to_be_focused()
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="Sign out")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile("/sign-in$"))


@pytest.mark.parametrize("menu", [".switcher", ".account"])
def test_escape_closes_a_menu_and_returns_the_focus(keyboard_tab: Page, menu: str) -> None:
    tab = keyboard_tab
    tab.goto(LIST)
    tab.locator(f"{menu} summary").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Escape")
    expect(tab.locator(menu)).not_to_have_attribute("open", re.compile(""))
    expect(tab.locator(f"{menu} summary")).to_be_focused()


def test_a_menu_closes_when_the_focus_leaves_it(keyboard_tab: Page) -> None:
    tab = keyboard_tab
    tab.goto(LIST)
    tab.locator(".switcher summary").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator(".switcher")).to_have_attribute("open", "")
    press_tab_until_focused(tab, link(tab, "All workspaces", "What is broken"))
    expect(tab.locator(".switcher")).not_to_have_attribute("open", re.compile(""))


def test_a_page_below_a_tab_keeps_it_marked(support: Page, demo: RunningDemo) -> None:
    support.goto(demo.fill_in(f"{LIST}/<Operations channel>"))
    expect(link(support, "Workspace", "Destinations")).to_have_attribute("aria-current", "true")


def test_without_javascript_the_menus_open_and_sign_out_works(open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.goto("/")
    tab.get_by_role("button", name="Try the demo as viewer").click()
    tab.locator(".account summary").click()
    tab.get_by_role("button", name="Sign out").click()
    expect(tab).to_have_url(re.compile("/sign-in$"))


FIND_CUT_NAMES = """() => [...document.querySelectorAll(".menu > summary bdi")]
    .filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent)"""


def test_zoomed_to_twice_its_size_the_bar_cuts_no_name_that_has_room(support: Page) -> None:
    support.set_viewport_size(ViewportSize(width=640, height=450))
    support.goto("/w/harbor/destinations")

    assert support.evaluate(FIND_CUT_NAMES) == []


# Whether the element that has the focus is behind the bar of buttons at the bottom of the window.
IS_BEHIND_BAR = """(focused) => focused.closest("li")
    && document.querySelector(".doings").getBoundingClientRect().top < focused.getBoundingClientRect().bottom"""


@pytest.mark.parametrize("size", [(640, 450), (1280, 560), (360, 640)])
def test_the_tab_key_leads_to_nothing_behind_the_bar_below_a_list(admin: Page, size: tuple[int, int]) -> None:
    admin.set_viewport_size(ViewportSize(width=size[0], height=size[1]))
    admin.goto("/w/harbor/choose")
    boxes = admin.locator(".ticks input")
    admin.get_by_role("link", name="Tick none").focus()

    assert boxes.count() > 10
    for _ in range(boxes.count()):
        admin.keyboard.press("Tab")
        assert not admin.locator(":focus").evaluate(IS_BEHIND_BAR), admin.locator(":focus").evaluate("e => e.outerHTML")
