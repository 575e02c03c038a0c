"""Receipts in a real browser: from the link in the message, and from a member on the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import AddWebhook, OpenTab
from tests.browser.page_checks import find_barriers
from tests.browser.test_journey import button, expect_badge, messages, reference


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_links_page_is_accessible(link: str, open_tab: OpenTab, scheme: str) -> None:
    stranger = open_tab(color_scheme=scheme, viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    stranger.goto(link)
    assert find_barriers(stranger) == []


def test_a_link_works_once_without_an_account_and_without_scripts(link: str, sent: Page, open_tab: OpenTab) -> None:
    stranger = open_tab(java_script_enabled=False)
    stranger.goto(link)
    expect(stranger.get_by_role("heading")).to_have_text(f"Do you see message {reference(sent)}?")
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
