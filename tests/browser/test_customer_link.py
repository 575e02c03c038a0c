"""A link for the customer in real browsers: one of a member who makes it, and one of a customer without an account."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import AddWebhook, OpenTab
from tests.browser.page_checks import find_faults
from tests.browser.test_journey import button, expect_badge, messages, press_tab_until_focused
from webapp.receipt_links import READING_TIME

# Longer than the page needs, in milliseconds.
READING_MS = (READING_TIME + timedelta(milliseconds=200)) / timedelta(milliseconds=1)
PHONE = {"width": 360, "height": 740}


def make_link(tab: Page) -> str:
    """Make a link on the page of a destination and return its address."""
    tab.get_by_text("Link for the customer", exact=True).click()
    tab.get_by_role("button", name="Make a link").click()
    return tab.get_by_label("The new link").input_value()


@pytest.fixture
def member(add_webhook: AddWebhook) -> Page:
    """The page of a destination that was never tested."""
    return add_webhook("works")


@pytest.fixture
def link(member: Page) -> str:
    return make_link(member)


def open_link(tab: Page, link: str) -> None:
    """Open the link and read its page."""
    tab.goto(link)
    tab.wait_for_timeout(READING_MS)


def test_a_customer_tests_and_confirms_without_an_account_and_without_a_reload(
    member: Page, link: str, open_tab: OpenTab
) -> None:
    customer = open_tab()
    open_link(customer, link)
    customer.evaluate("window.wasNotReloaded = true")
    expect_badge(customer, "never")
    button(customer).click()
    expect_badge(customer, "sent")
    shown = customer.locator(".verdict > p:first-child code").inner_text()
    customer.get_by_role("button", name="I see it").click()
    expect(customer.get_by_text("Somebody has seen the message.")).to_be_visible()
    assert customer.evaluate("window.wasNotReloaded")
    assert customer.context.cookies() == []

    expect(member.locator("#receipt"), "the member's page, which nobody reloads").to_contain_text(
        "the customer has seen"
    )
    expect(member.locator("#receipt")).to_contain_text("the customer has seen it")
    expect(member.locator(".verdict > p:first-child")).to_contain_text("by the customer's link")
    expect(messages(member, shown)).to_have_count(1)


def test_the_keyboard_alone_is_enough(link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    open_link(customer, link)
    press_tab_until_focused(customer, button(customer))
    customer.keyboard.press("Enter")
    expect_badge(customer, "sent")
    press_tab_until_focused(customer, customer.get_by_role("button", name="It did not arrive"))
    customer.keyboard.press("Space")
    expect(customer.get_by_text("Somebody reported that the message did not arrive.")).to_be_visible()


def test_without_scripts_the_customer_tests_on_a_phone(link: str, open_tab: OpenTab) -> None:
    customer = open_tab(java_script_enabled=False, viewport=PHONE)
    open_link(customer, link)
    button(customer).click()
    expect(customer.locator("[data-last-test=never]")).to_have_count(0)  # a reload before would undo the press
    expect(customer).to_have_url(link)
    for _ in range(60):
        if customer.locator("[data-last-test=sent]").count():
            break
        customer.wait_for_timeout(500)
        customer.reload()
    customer.wait_for_timeout(READING_MS)
    customer.get_by_role("button", name="I see it").click()
    expect(customer.get_by_text("Somebody has seen the message.")).to_be_visible()


def test_a_press_that_comes_too_soon_says_why_and_counts_when_it_is_repeated(link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    customer.goto(link)
    proof = customer.locator("input[name=page]")
    kept = proof.input_value()
    proof.evaluate("input => { input.value = ''; }")
    button(customer).click()
    expect(customer.get_by_role("alert")).to_contain_text("Your press was not counted.")
    expect_badge(customer, "never")
    proof.evaluate("(input, kept) => { input.value = kept; }", kept)
    customer.wait_for_timeout(READING_MS)
    button(customer).click()
    expect_badge(customer, "sent")


def test_a_new_link_can_be_copied_and_stays_through_a_refresh(member: Page, link: str) -> None:
    member.context.grant_permissions(["clipboard-read", "clipboard-write"])
    member.get_by_role("button", name="Copy link").click()
    expect(member.get_by_text("Copied.")).to_be_visible()
    assert member.evaluate("navigator.clipboard.readText()") == link

    with member.expect_response(lambda response: response.request.headers.get("hx-source") == "div#page"):
        member.evaluate("Date.now = ((now) => () => now() + 3_600_000)(Date.now)")
    expect(member.get_by_label("The new link")).to_have_value(link)


def test_a_press_on_a_revoked_link_shows_that_it_ended(member: Page, link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    open_link(customer, link)
    member.get_by_role("button", name="Revoke the link").click()
    expect(member.get_by_role("button", name="Revoke the link")).to_have_count(0)
    button(customer).click()
    expect(customer.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_a_link_is_revoked_by_keyboard_which_is_announced_and_keeps_the_focus(member: Page, link: str) -> None:
    member.get_by_role("button", name="Revoke the link").press("Enter")
    expect(member.locator("#customer-links [aria-live]")).to_have_text("The link was revoked.")
    expect(member.locator("#customer-links summary")).to_be_focused()
    assert link not in member.content()


def test_the_pages_are_accessible_and_fit_every_screen(member: Page, link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    open_link(customer, link)
    assert find_faults(customer) == []
    button(customer).click()
    expect(customer.get_by_role("button", name="I see it")).to_be_visible()
    assert find_faults(customer) == []
    customer.goto(f"{link}x")
    expect(customer).to_have_title(re.compile("^This link does not work"))
    assert find_faults(customer) == []
    assert find_faults(member) == []


def test_the_button_can_be_pressed_again_as_soon_as_the_minute_is_over(link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    open_link(customer, link)
    button(customer).click()
    expect_badge(customer, "sent")
    expect(button(customer)).to_have_text(re.compile(r"Test again in \d+ s"))
    expect(button(customer)).to_have_attribute("aria-disabled", "true")
    customer.locator("[data-until]").evaluate("element => { element.dataset.until = new Date().toISOString(); }")
    expect(button(customer)).to_have_text(re.compile(r"^\s*Send test\s*$"))
    expect(button(customer)).not_to_have_attribute("aria-disabled", "true")


def test_a_button_is_busy_while_its_press_is_under_way_also_if_the_response_is_lost(
    link: str, open_tab: OpenTab
) -> None:
    customer = open_tab()
    open_link(customer, link)
    held: list[Route] = []
    customer.route(link, lambda route: held.append(route))
    button(customer).click()
    expect(button(customer)).to_have_attribute("aria-busy", "true")
    button(customer).click(force=True)
    assert len(held) == 1
    held[0].abort("internetdisconnected")
    expect(button(customer)).not_to_have_attribute("aria-busy", "true")
    expect(customer.locator("#stale")).to_be_visible()


def test_the_page_stands_in_the_middle_and_its_button_is_one_line(link: str, open_tab: OpenTab) -> None:
    customer = open_tab()
    customer.goto(link)
    box, press = customer.locator("#page").bounding_box(), button(customer).bounding_box()
    assert box
    assert press
    assert abs(box["x"] * 2 + box["width"] - 1280) < 20
    assert press["height"] < 45
