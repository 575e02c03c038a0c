"""One's own account in Chromium: the address is confirmed by a mail in the demo's inbox, and sessions are ended."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab, look_around
from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def viewer_of_now(open_tab: OpenTab) -> Page:
    """A session of its own, which the test may end."""
    tab = open_tab()
    look_around(tab, "viewer")
    return tab


def open_account(tab: Page) -> None:
    tab.locator(".account summary").click()
    tab.get_by_role("link", name="Your account").click()
    expect(tab.get_by_role("heading", name="Your account")).to_be_visible()


def test_somebody_confirms_their_address_without_a_reload(viewer_of_now: Page) -> None:
    tab = viewer_of_now
    open_account(tab)
    tab.get_by_role("button", name="Confirm this address").click()
    tab.evaluate("window.wasNotReloaded = true")
    expect(tab.get_by_text("A mail with a link was sent to you.")).to_be_visible()
    assert tab.evaluate("window.wasNotReloaded")

    tab.goto("/demo/inbox")
    link = tab.get_by_role("link", name="Confirm this address").first
    target = link.get_attribute("href") if link.count() else None
    tab.goto(target or _find_address(tab))
    expect(tab).to_have_url(re.compile("/account/confirm$"))
    assert find_barriers(tab) == []
    tab.get_by_role("button", name="Confirm this address").click()

    expect(tab.get_by_text("Your email address is confirmed.")).to_be_visible()
    expect(tab.locator("#account-address")).not_to_contain_text("not confirmed")


def _find_address(tab: Page) -> str:
    """Return the address of the link in the text of the newest mail."""
    found = tab.evaluate("document.body.innerText.match(/http\\S+\\/account\\/confirm\\/\\S+/)[0]")
    return str(found)


def test_sessions_are_shown_and_ended(viewer_of_now: Page, open_tab: OpenTab) -> None:
    other = open_tab()
    look_around(other, "viewer")
    tab = viewer_of_now
    open_account(tab)
    expect(tab.locator(".sessions")).to_contain_text("on Linux")
    expect(tab.get_by_text("this session")).to_have_count(1)

    tab.locator(".sessions > li").nth(1).get_by_role("button").click()

    expect(tab.get_by_text("The session has ended.")).to_be_visible()
    other.goto("/account")
    expect(other.get_by_role("heading", name="Try the demo")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_forgotten_password_on_a_phone(chromium: Browser, open_tab: OpenTab, scheme: str) -> None:
    tab = open_tab(viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    tab.goto("/sign-in")
    tab.get_by_role("link", name="Forgot your password?").click()
    assert find_barriers(tab) == []
    tab.get_by_label("Email address").fill("nobody@example.com")
    tab.get_by_role("button", name="Send the link").click()

    expect(tab.get_by_role("heading", name="Check your mail")).to_be_visible()
    assert find_barriers(tab) == []
    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
