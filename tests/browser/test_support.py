"""Support with a customer on the phone: find what is broken, learn why, say what to do, and write the ticket."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, Sessions


@pytest.fixture
def on_the_phone(open_tab: OpenTab, sessions: Sessions) -> Page:
    """The broken destination's page, found from the page that support opens first."""
    tab = open_tab(storage_state=sessions["support"], permissions=["clipboard-read", "clipboard-write"])
    tab.goto("/")
    tab.get_by_role("link", name="Failed destinations").click()
    tab.get_by_role("link", name="Old ticket system").click()
    return tab


def test_the_broken_destination_is_two_clicks_away_and_tells_cause_and_next_step(on_the_phone: Page) -> None:
    expect(on_the_phone.get_by_role("heading", name="Old ticket system")).to_be_visible()
    expect(on_the_phone.locator(".verdict")).to_contain_text("answered 404: nothing exists at this address.")
    expect(on_the_phone.locator(".verdict")).to_contain_text("Next: Check the path of the address")
    expect(on_the_phone.locator("#details")).to_contain_text("changed (address) by Demo admin")


def test_one_press_copies_the_report(on_the_phone: Page) -> None:
    on_the_phone.get_by_role("button", name="Copy report").click()
    expect(on_the_phone.get_by_text("Copied.")).to_be_visible()
    copied = on_the_phone.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Alertcheck report of ")
    assert "Next step: Check the path of the address" in copied


def test_where_a_page_may_not_copy_the_report_is_opened_and_marked(on_the_phone: Page) -> None:
    on_the_phone.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    on_the_phone.get_by_role("button", name="Copy report").click()
    report = on_the_phone.get_by_label("Report", exact=True)
    expect(report).to_be_focused()
    assert report.evaluate("box => box.selectionEnd - box.selectionStart === box.value.length")
