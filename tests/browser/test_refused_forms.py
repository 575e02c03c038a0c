"""Forms that are refused in a real browser: nothing typed is lost, and each page says why and fits a phone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, look_around
from tests.browser.page_checks import WIDTHS, find_barriers

NEW = "/w/harbor/destinations/new/email"
RECIPIENTS = "ann@example.com, bob@example.org"


def fill_in(tab: Page) -> None:
    tab.goto(NEW)
    tab.get_by_label("Name").fill("Über-Pager")
    tab.get_by_label("Recipients").fill(RECIPIENTS)


def sign_out_elsewhere(tab: Page) -> None:
    """Sign out in another tab of the same browser."""
    other = tab.context.new_page()
    other.goto("/")
    other.locator(".account summary").click()
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Try the demo")).to_be_visible()


def sign_in_elsewhere(tab: Page, role: str) -> None:
    look_around(tab.context.new_page(), role)


def assert_fits(tab: Page) -> None:
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
        assert find_barriers(tab) == []


def test_what_was_typed_before_a_sign_out_in_another_tab_is_filled_in_after_a_sign_in(open_tab: OpenTab) -> None:
    tab = open_tab(reduced_motion="reduce")
    look_around(tab, "admin")
    fill_in(tab)
    sign_out_elsewhere(tab)

    tab.keyboard.press("Tab")  # leaves the field, which is checked
    expect(tab.locator("#stale")).to_contain_text("You were signed out. What you typed is still here.")
    expect(tab.get_by_label("Recipients")).to_have_value(RECIPIENTS)
    tab.get_by_role("button", name="Add destination").click()
    expect(tab.get_by_role("alert")).to_contain_text("what you typed is kept")
    assert_fits(tab)
    tab.get_by_role("button", name="Try the demo as admin").click()

    expect(tab.get_by_text("What you typed is filled in again")).to_be_visible()
    expect(tab.get_by_label("Name")).to_have_value("Über-Pager")
    expect(tab.get_by_label("Recipients")).to_have_value(RECIPIENTS)
    expect(tab).to_have_url(re.compile(f"{NEW}$"))


def test_without_javascript_one_press_fills_in_the_form(open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False)
    look_around(tab, "admin")
    fill_in(tab)
    tab.context.clear_cookies()

    tab.get_by_role("button", name="Add destination").click()
    tab.get_by_role("button", name="Try the demo as admin").click()
    tab.get_by_role("button", name="Continue with the form").click()

    expect(tab.get_by_label("Recipients")).to_have_value(RECIPIENTS)


def test_a_press_on_a_page_from_before_a_new_sign_in_loads_it_again_and_says_why(open_tab: OpenTab) -> None:
    tab = open_tab()
    look_around(tab, "support")
    # No other test of this module presses there: a page that watches for a receipt would leave at the sign-out.
    tab.goto("/w/harbor/destinations?q=Warehouse+alarms")
    tab.get_by_role("link", name="Warehouse alarms").click()
    sign_out_elsewhere(tab)
    sign_in_elsewhere(tab, "support")

    tab.locator(".send").click()

    expect(tab.get_by_text("You signed in again, or set a new password, after this page was opened")).to_be_visible()
    expect(tab.locator("[data-last-test=never]")).to_be_visible()


def test_a_second_sign_in_page_goes_on_to_its_own_page(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.goto("/w/clinic/destinations")
    sign_in_elsewhere(tab, "support")

    tab.get_by_role("button", name="Try the demo as admin").click()

    expect(tab.get_by_role("heading", name="Mill Street Clinic")).to_be_visible()
    expect(tab.get_by_text("You were already signed in as Demo support, in another tab.")).to_be_visible()


def test_a_browser_that_sends_no_cookie_is_told_so(open_tab: OpenTab) -> None:
    tab = open_tab(reduced_motion="reduce")
    tab.goto("/sign-in")
    tab.context.clear_cookies()

    tab.get_by_role("button", name="Try the demo as admin").click()

    expect(tab.get_by_role("heading", name="Your browser sent no cookie")).to_be_visible()
    assert_fits(tab)
