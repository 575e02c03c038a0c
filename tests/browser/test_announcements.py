"""What screen readers announce while a page changes: each change once, and only what helps."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_list import ALL_ENDED, open_list
from tests.browser.test_page_refresh import NOTE_ANNOUNCEMENTS

LIST = "/w/clinic/destinations"
BADGES = {"Never", "Pending", "Sent", "Failed"}


def listen(tab: Page) -> None:
    tab.evaluate(NOTE_ANNOUNCEMENTS)


def heard(tab: Page) -> set[str]:
    return set(tab.evaluate("window.announced"))


def test_a_typed_filter_announces_how_many_destinations_match(support: Page) -> None:
    open_list(support)
    listen(support)
    support.get_by_label("Name contains").press_sequentially("lab")
    expect(support.get_by_role("status").get_by_text("1 destination matches the filter.")).to_be_attached()
    assert "1 destination matches the filter." in heard(support)

    support.get_by_label("Name contains").fill("no such name")
    expect(support.get_by_role("status").get_by_text("0 destinations match the filter.")).to_be_attached()
    assert "0 destinations match the filter." in heard(support)


@pytest.mark.usefixtures("fresh_demo")
def test_test_all_announces_its_progress_and_no_badge_without_its_name(support: Page) -> None:
    open_list(support)
    support.on("dialog", lambda dialog: dialog.accept())
    listen(support)
    support.get_by_role("button", name="Test all").click()
    expect(support.locator("#batch")).to_contain_text(ALL_ENDED, timeout=90_000)
    expect(support.locator(".status[hx-get]")).to_have_count(0)
    assert any("accepted" in words for words in heard(support))
    assert heard(support) & BADGES == set()
    expect(support.locator(".status [aria-live=off]")).to_have_count(0)


def test_the_sentence_about_an_outage_appears_in_a_region_that_was_there_before(support: Page) -> None:
    support.goto(LIST)
    region = support.locator("[role=status]:has(> #stale)")
    assert region.evaluate("(element) => element.checkVisibility()")
    expect(support.locator("#stale")).to_be_hidden()


@pytest.mark.usefixtures("fresh_demo")
def test_a_row_in_which_somebody_presses_a_button_during_test_all_is_announced(support: Page) -> None:
    open_list(support)
    support.on("dialog", lambda dialog: dialog.accept())
    held: list[Route] = []
    support.route("**/batches/*", lambda route: held.append(route))
    support.get_by_role("button", name="Test all").click()
    row = support.locator(".status:has([aria-live=off]):has(button.send:not([disabled]))").first
    row.wait_for()
    listen(support)
    name = row.get_attribute("id")
    expect(support.locator(f"#{name}:not([hx-get])")).to_be_attached()
    support.locator(f"#{name} button.send").click()
    expect(support.locator(f"#{name} .planned")).to_be_visible()
    assert any("Planned" in words for words in heard(support))
    support.unroute("**/batches/*")
    for route in held:
        route.continue_()
    expect(support.locator("#batch")).to_contain_text(ALL_ENDED, timeout=90_000)
