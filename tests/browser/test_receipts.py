"""Receipts in a real browser: from the link in the message, and from a member on the page."""

import re
from datetime import timedelta
from typing import Literal

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

    sent.bring_to_front()
    expect(sent.locator("#receipt")).to_contain_text("Seen")
    expect_badge(sent, "sent")


def test_a_member_reports_a_missing_message_and_the_badge_stays(sent: Page) -> None:
    sent.get_by_role("button", name="It did not arrive").click()
    expect(sent.locator("#receipt")).to_contain_text("Demo admin")
    expect_badge(sent, "sent")
    expect(sent.locator(".status")).to_contain_text("Sent, but reported missing by Demo admin.")
    expect(sent.locator(".badge")).to_have_attribute("data-receipt", "missing")
    sent.get_by_role("button", name="I see it").press("Enter")
    expect(sent.locator(".badge")).to_have_attribute("data-receipt", "seen")


# The elements that reach beyond the right edge of the window, except those that scroll on their own.
WIDER = """() => [...document.querySelectorAll("main *")].filter((element) =>
  element.getBoundingClientRect().right > innerWidth && !element.closest(".overflow-auto, .hidden, [hidden]")
).map((element) => element.outerHTML.slice(0, 80))"""


def confirm(link: str, open_tab: OpenTab) -> None:
    """Press the button of the link as somebody without an account."""
    stranger = open_tab(java_script_enabled=False)
    stranger.goto(link)
    stranger.wait_for_timeout(READING_MS)
    stranger.get_by_role("button", name="I see it").click()
    expect(stranger.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_click_on_the_link_shows_on_the_open_page_without_a_reload(link: str, sent: Page, open_tab: OpenTab) -> None:
    sent.bring_to_front()
    sent.evaluate("window.isSamePage = true")
    expect(sent.locator(".next")).to_be_visible()
    expect(sent.locator("#receipt-watch")).to_have_attribute("hx-trigger", re.compile("^every 1"))
    sent.locator("#customer summary").press("Enter")
    sent.get_by_label("Name of the customer").fill("Ann")

    confirm(link, open_tab)

    expect(sent.locator(".badge")).to_have_attribute("data-receipt", "seen")
    expect(sent.locator(".status")).to_contain_text("Seen by someone with the link in the message.")
    expect(sent.locator("#receipt")).to_contain_text("Yes: someone with the link in the message has seen it.")
    expect(sent.locator(".next")).to_have_count(0)
    expect(sent.locator("#receipt-watch")).to_have_attribute("hx-trigger", re.compile("^tested "))  # no poll
    expect(sent.get_by_label("Name of the customer")).to_have_value("Ann")
    assert sent.evaluate("window.isSamePage")


def test_the_page_polls_on_after_an_outage_and_then_shows_the_receipt(link: str, sent: Page, open_tab: OpenTab) -> None:
    sent.bring_to_front()
    sent.route("**/watch?*", lambda route: route.fulfill(status=502, body="<html><body>Bad Gateway</body></html>"))
    expect(sent.locator("#stale")).to_be_visible()
    sent.unroute("**/watch?*")
    sent.context.set_offline(True)
    sent.wait_for_timeout(1500)
    confirm(link, open_tab)
    sent.context.set_offline(False)

    expect(sent.locator(".badge")).to_have_attribute("data-receipt", "seen")
    expect(sent.locator("#stale")).to_be_hidden()


def test_a_poll_after_the_session_ended_leads_to_the_sign_in_page(sent: Page) -> None:
    sent.bring_to_front()
    with sent.expect_response("**/watch?*") as poll:  # a response that is under way would set the cookie again
        pass
    poll.value.finished()
    sent.context.clear_cookies()

    expect(sent).to_have_url(re.compile(r"/sign-in\?next="))


def test_a_member_records_by_keyboard_what_the_customer_said(sent: Page) -> None:
    sent.locator("#customer summary").press("Enter")
    sent.get_by_label("Name of the customer").fill("\u200b")
    sent.keyboard.press("Enter")
    expect(sent.locator("#customer-check")).to_contain_text("The name has no visible character. Enter a name.")
    sent.get_by_label("Name of the customer").fill("Ann Example")
    sent.keyboard.press("Enter")

    expect(sent.locator(".status")).to_contain_text("Confirmed by the customer Ann Example, recorded by Demo admin.")
    expect(sent.locator(".badge")).to_have_attribute("data-receipt", "seen")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_with_a_missing_message_is_accessible(sent: Page, scheme: Literal["light", "dark"]) -> None:
    sent.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    sent.set_viewport_size({"width": 360, "height": 800})
    sent.get_by_role("button", name="It did not arrive").click()
    expect(sent.locator(".status")).to_contain_text("Sent, but reported missing")
    sent.locator("#customer summary").click()

    assert find_barriers(sent) == []
    assert sent.evaluate(WIDER) == []
