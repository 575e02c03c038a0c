"""Support with a customer on the phone: find the broken destination, its cause and next step, and copy the report."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, Sessions


@pytest.fixture
def broken_page(open_tab: OpenTab, sessions: Sessions) -> Page:
    """The broken destination's page, reached from support's start page."""
    tab = open_tab(storage_state=sessions["support"], permissions=["clipboard-read", "clipboard-write"])
    tab.goto("/")
    tab.get_by_role("link", name="What is broken").click()
    tab.get_by_role("link", name="Old ticket system").click()
    return tab


def test_the_broken_destination_is_two_clicks_away_and_shows_cause_and_next_step(broken_page: Page) -> None:
    expect(broken_page.get_by_role("heading", name="Old ticket system")).to_be_visible()
    expect(broken_page.locator(".verdict")).to_contain_text(
        "answered 404: it does not know this address, or no longer accepts it."
    )
    expect(broken_page.locator(".verdict")).to_contain_text("Next: Check the host and the path of the address")
    expect(broken_page.locator("#details")).to_contain_text("changed (address) by Demo admin")


def test_one_press_copies_the_report(broken_page: Page) -> None:
    broken_page.get_by_role("button", name="Copy report").click()
    expect(broken_page.get_by_text("Copied.")).to_be_visible()
    copied = broken_page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Alertcheck report of ")
    assert "Next step: Check the host and the path of the address" in copied


def test_without_clipboard_access_the_report_is_opened_and_selected(broken_page: Page) -> None:
    broken_page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    broken_page.get_by_role("button", name="Copy report").click()
    report = broken_page.get_by_label("Report", exact=True)
    expect(report).to_be_focused()
    assert report.evaluate("box => box.selectionEnd - box.selectionStart === box.value.length")
