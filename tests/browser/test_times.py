"""Times and countdowns in a real browser: exact on request, and never announced each second."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import AddWebhook
from tests.browser.test_journey import button, expect_badge, press_tab_until_focused

# For five seconds, what a button shows and what it is called.
NOTE_NAMES = """(button) => new Promise((resolve) => {
    const [names, shown] = [new Set(), new Set()];
    const note = () => names.add(button.ariaLabel) && shown.add(button.querySelector(".countdown").textContent);
    const timer = setInterval(note, 50);
    setTimeout(() => { clearInterval(timer); resolve([[...names], [...shown]]); }, 5000);
})"""
EXACT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def shown_time(tab: Page) -> str:
    """Return what the first time shows: its own text, or the exact one in front of it."""
    text: str = tab.locator("time[data-exact]").first.evaluate(
        "time => getComputedStyle(time.firstElementChild).display === 'none'"
        " ? time.dataset.exact : time.firstElementChild.textContent"
    )
    return text


def test_a_press_shows_every_time_exactly_and_the_browser_remembers_it(support: Page) -> None:
    support.goto("/w/harbor/destinations/5")
    assert shown_time(support).endswith("ago")
    toggle = support.get_by_role("button", name="Show exact times")
    press_tab_until_focused(support, toggle)
    support.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert EXACT.fullmatch(shown_time(support))
    support.goto("/w/harbor/history")
    assert EXACT.fullmatch(shown_time(support))
    support.get_by_role("button", name="Show exact times").click()
    assert shown_time(support).endswith("ago")


def test_a_page_without_a_time_offers_no_exact_one(support: Page) -> None:
    support.goto("/w/harbor/destinations?q=no+such+name")
    expect(support.locator("#exact-times")).to_be_hidden()


def test_a_screen_reader_gets_the_exact_time(support: Page) -> None:
    support.goto("/w/harbor/destinations/5")
    expect(support.locator("time[data-exact]").first).to_contain_text(EXACT)


def test_the_name_of_a_button_that_counts_down_contains_what_it_shows(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    button(tab).blur()
    expect(button(tab)).to_have_accessible_name(re.compile(r"^Tests again in \d+ s ?, Webhook"))


def test_the_name_of_a_focused_button_does_not_change_each_second(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    expect(button(tab)).to_have_attribute("aria-label", re.compile(r"^Tests again in \d+ s ?, Webhook"))
    names, shown = tab.evaluate(NOTE_NAMES, button(tab).element_handle())
    assert len(shown) >= 4
    assert len(names) <= 2
