"""Receipts in a real browser: from the link in the message, and from a member on the page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import AddWebhook, OpenTab
from tests.browser.page_checks import find_barriers
from tests.browser.test_journey import button, expect_badge, messages, reference
from webapp.receipt_links import READING_TIME

# Longer than the page needs, in milliseconds.
READING_MS = (READING_TIME + timedelta(milliseconds=200)) / timedelta(milliseconds=1)


@pytest.fixture
def sent(add_webhook: AddWebhook) -> Page:
    """The page of a destination whose test was sent."""
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    expect(tab.locator("#receipt")).to_contain_text("Accepted by the receiver")
    return tab


@pytest.fixture
def link(sent: Page) -> str:
    """The link in the message, read from the inbox in another tab."""
    inbox = sent.context.new_page()
    address = messages(inbox, reference(sent)).get_by_role("link", name="I see it").get_attribute("href")
    assert address
    return address


def press_too_soon(tab: Page, link: str) -> None:
    """Open the link and press its button as if at once: a busy machine may take two seconds for the press."""
    tab.goto(link)
    tab.locator("input[name=page]").evaluate("input => { input.value = ''; }")
    tab.get_by_role("button", name="I see it").press("Enter")
    expect(tab.get_by_role("heading", name="Press the button again")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_links_pages_are_accessible(link: str, open_tab: OpenTab, scheme: str) -> None:
    stranger = open_tab(color_scheme=scheme, viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    stranger.goto(link)
    assert find_barriers(stranger) == []
    press_too_soon(stranger, link)
    assert find_barriers(stranger) == []


def test_a_press_that_comes_too_soon_leaves_the_button_in_focus_for_another(link: str, sent: Page) -> None:
    reader = sent.context.new_page()
    press_too_soon(reader, link)
    button_again = reader.get_by_role("button", name="I see it")
    expect(reader).to_have_title(re.compile("^Press the button again"))
    expect(button_again).to_be_focused()
    expect(button_again).to_have_accessible_description(re.compile("Wait two seconds, then press the button again"))

    sent.reload()
    expect(sent.locator("#receipt")).to_contain_text("Nobody has confirmed yet")
    reader.wait_for_timeout(READING_MS)
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_link_works_once_without_an_account_and_without_scripts(link: str, sent: Page, open_tab: OpenTab) -> None:
    stranger = open_tab(java_script_enabled=False)
    stranger.goto(link)
    expect(stranger.get_by_role("heading")).to_have_text(f"Do you see message {reference(sent)}?")
    stranger.wait_for_timeout(READING_MS)
    stranger.get_by_role("button", name="I see it").click()
    expect(stranger.get_by_role("heading", name="Thank you")).to_be_visible()
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name="This message is already marked as seen")).to_be_visible()

    sent.reload()
    expect(sent.locator("#receipt")).to_contain_text("Seen")
    expect_badge(sent, "sent")


def test_a_member_reports_a_missing_message_and_the_badge_stays(sent: Page) -> None:
    sent.get_by_role("button", name="It did not arrive").click()
    expect(sent.locator("#receipt")).to_contain_text("Demo admin")
    expect_badge(sent, "sent")
