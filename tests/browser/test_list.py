"""A workspace's list in a real browser: its state in words, what is wanted of it, and a test of all of it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_journey import press_tab_until_focused

ALL_ENDED = re.compile(r"All \d tests are complete: \d accepted, \d failed\.")


def open_list(tab: Page, path: str = "/w/clinic/destinations") -> Page:
    """Open a list, marked so that it shows whether it was loaded again."""
    tab.goto(path)
    tab.evaluate("window.loadedOnce = true")
    return tab


def test_the_page_opens_with_its_state_in_words_and_what_is_broken_first(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    expect(support.locator("#state p")).to_contain_text(re.compile(r"\d of \d+ destinations accepted their last test"))
    expect(support.locator(".destination h2").first).to_have_text("Old ticket system")


def test_a_tab_shows_one_badge_without_leaving_the_page_and_the_address_keeps_it(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    support.get_by_role("navigation", name="Show").get_by_role("link", name="Failed").click()
    expect(support.locator(".destination h2")).to_have_text(["Old ticket system"])
    expect(support).to_have_url(re.compile(r"state=failed"))
    assert support.evaluate("window.loadedOnce")


def test_what_is_typed_narrows_the_list_and_the_address_brings_it_back(support: Page) -> None:
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
    expect(support.locator(".destination h2")).to_have_text(["Duty doctor e-mail"])


def test_without_javascript_the_filter_is_a_form(open_list_without_javascript: Page) -> None:
    tab = open_list_without_javascript
    tab.get_by_label("Name contains").fill("lab")
    tab.get_by_role("button", name="Show", exact=True).click()
    expect(tab.locator(".destination h2")).to_have_text(["Lab system"])


def test_a_test_of_all_asks_first_then_shows_how_far_it_is_and_what_came_of_it(support: Page) -> None:
    open_list(support)
    questions: list[str] = []
    support.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    support.get_by_role("button", name="Test all").click()
    expect(support.get_by_role("progressbar", name="Completed tests")).to_be_visible()
    expect(support.locator("#batch")).to_contain_text(ALL_ENDED, timeout=45_000)
    expect(support.locator("#batch").get_by_role("link", name="Duty doctor e-mail")).to_be_visible()
    assert len(questions) == 1
    assert support.evaluate("window.loadedOnce")


def test_a_test_of_all_that_is_declined_sends_nothing_and_complains_of_nothing(support: Page) -> None:
    open_list(support)
    support.once("dialog", lambda dialog: dialog.dismiss())
    support.evaluate("document.addEventListener('htmx:finally:request', () => { window.finished = true })")
    support.get_by_role("button", name="Test all").click()
    support.wait_for_function("window.finished", timeout=10_000)
    expect(support.locator("#stale")).to_be_hidden()
    expect(support.locator("#batch")).to_be_empty()


def test_back_shows_what_was_shown_before(support: Page) -> None:
    open_list(support, "/w/harbor/destinations?q=ticket")
    support.get_by_role("navigation", name="Show").get_by_role("link", name="Failed").click()
    expect(support.locator(".destination h2")).to_have_count(1)
    support.go_back()
    expect(support.locator(".destination h2")).to_have_text(["Old ticket system", "Ticket system"])
