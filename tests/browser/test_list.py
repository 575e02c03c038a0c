"""A workspace's list in a real browser: its summary, its filters, and Test all."""

import re

import pytest
from playwright.sync_api import Dialog, Page, ViewportSize, expect

from tests.browser.running_demo import RunningDemo
from tests.browser.test_journey import press_tab_until_focused, press_that_ends

ALL_ENDED = re.compile(r"(All|The) \d (requested )?tests are complete: \d accepted, \d failed\.")


def open_list(tab: Page, path: str = "/w/clinic/destinations") -> Page:
    """Open a list and set a variable that a reload removes."""
    tab.goto(path)
    tab.evaluate("window.loadedOnce = true")
    return tab


def test_the_page_starts_with_a_summary_and_the_broken_destinations(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    expect(support.locator("#state p")).to_contain_text(re.compile(r"\d of \d+ destinations accepted their last test"))
    expect(support.locator(".destination h2").first).to_have_text("Old ticket system")


def test_a_screen_reader_hears_what_the_digits_beside_a_host_are(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=Old+ticket")
    expect(support.locator(".where")).to_match_aria_snapshot(r"""
        - text: hooks.demo.example
        - code: /^fingerprint [0-9a-f]{8}$/
    """)


def test_on_a_phone_the_button_stands_apart_from_the_note_below_it(support: Page, demo: RunningDemo) -> None:
    support.set_viewport_size(ViewportSize(width=360, height=800))
    support.goto(demo.fill_in("/w/harbor/destinations/<Old ticket system>"))
    button = support.locator(".send").bounding_box()
    note = support.get_by_text("Next drill:").bounding_box()
    assert button
    assert note
    assert note["y"] - button["y"] - button["height"] > 4


def test_on_a_narrow_phone_no_line_begins_with_the_comma_after_a_time(support: Page, demo: RunningDemo) -> None:
    support.set_viewport_size(ViewportSize(width=350, height=800))
    support.goto(demo.fill_in("/w/harbor/destinations/<Harbor incidents>"))
    parts = support.locator(".attempts time > span")
    moment, comma = parts.nth(0).bounding_box(), parts.nth(1).bounding_box()
    assert moment
    assert comma
    assert moment["y"] == comma["y"]


def test_a_tab_filters_by_badge_without_a_reload_and_the_url_keeps_it(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    support.get_by_role("navigation", name="Show").get_by_role("link", name="Failed").click()
    expect(support.locator(".destination h2")).to_have_text(["Old ticket system"])
    expect(support).to_have_url(re.compile(r"state=failed"))
    assert support.evaluate("window.loadedOnce")


def test_a_typed_filter_narrows_the_list_and_survives_a_reload(support: Page) -> None:
    open_list(support)
    support.get_by_label("Name contains").press_sequentially("lab")
    expect(support.locator(".destination h2")).to_have_text(["Lab system"])
    expect(support.get_by_label("Name contains")).to_be_focused()
    support.reload()
    expect(support.locator(".destination h2")).to_have_text(["Lab system"])
    expect(support.get_by_label("Name contains")).to_have_value("lab")


def test_the_list_can_be_narrowed_with_the_keyboard_alone(support: Page) -> None:
    open_list(support)
    press_tab_until_focused(support, support.locator("select[name=channel]"))
    support.keyboard.press("E")
    expect(support.locator(".destination h2")).to_have_text(["Duty doctor email"])


def test_without_javascript_the_filter_is_a_form(open_list_without_javascript: Page) -> None:
    tab = open_list_without_javascript
    tab.get_by_label("Name contains").fill("lab")
    tab.get_by_role("button", name="Show", exact=True).click()
    expect(tab.locator(".destination h2")).to_have_text(["Lab system"])


@pytest.mark.usefixtures("fresh_demo")
def test_test_all_asks_for_confirmation_then_shows_progress_and_results(support: Page) -> None:
    open_list(support)
    questions: list[str] = []

    def confirm(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept()

    support.on("dialog", confirm)
    support.get_by_role("button", name="Test all").click()
    expect(support.get_by_role("progressbar", name="Completed tests")).to_be_visible()
    expect(support.locator("#batch")).to_contain_text(ALL_ENDED, timeout=90_000)
    expect(support.locator("#batch").get_by_role("link", name="Duty doctor email")).to_be_visible()
    assert len(questions) == 1
    assert support.evaluate("window.loadedOnce")


@pytest.mark.usefixtures("fresh_demo")
def test_a_second_test_all_shows_what_was_left_out_and_counts_down(support: Page) -> None:
    open_list(support)
    support.on("dialog", lambda dialog: dialog.accept())
    for _ in range(2):
        with press_that_ends(support):
            support.get_by_role("button", name="Test all").click()
    batch = support.locator("#batch")
    expect(batch).to_contain_text(re.compile(r"No test was sent\..*left out.*because they were tested", re.DOTALL))
    expect(batch).to_contain_text(re.compile(r"Press Test all again in \d+ s to test more of them\."))
    support.evaluate("document.querySelector('#batch [data-until]').dataset.until = new Date().toISOString()")
    expect(batch).to_contain_text("Press Test all again to test more of them.")


def test_a_declined_test_all_sends_nothing_and_shows_no_error(support: Page) -> None:
    open_list(support)
    support.once("dialog", lambda dialog: dialog.dismiss())
    with press_that_ends(support):
        support.get_by_role("button", name="Test all").click()
    expect(support.locator("#stale")).to_be_hidden()
    expect(support.locator("#batch")).to_be_empty()


def test_back_shows_the_previous_filter(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    support.get_by_role("navigation", name="Show").get_by_role("link", name="Failed").click()
    expect(support.locator(".destination h2")).to_have_count(1)
    support.go_back()
    expect(support.locator(".destination h2")).to_have_text(["Old ticket system", "Ticket system"])
