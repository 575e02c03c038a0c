"""Countdowns and relative times in a real browser: right at once after sleep, whatever the browser's clocks did."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.conftest import AddWebhook
from tests.browser.test_journey import READY, button, disconnect, expect_badge, seconds_left

# In many browsers, the monotonic clock stands still while the computer sleeps.
STOP_MONOTONIC_CLOCK = "() => { const stopped = performance.now(); performance.now = () => stopped; }"
READ_WALL_CLOCK = "new Date().toISOString()"


def press_with_own_clock(tab: Page) -> Page:
    """Send a test in a tab whose clocks the test moves."""
    tab.clock.install()
    tab.reload()
    button(tab).click()
    expect_badge(tab, "sent")
    tab.route(tab.url, disconnect)  # a refresh would bring the server's clock, which the test does not move
    return tab


def set_wall_clock(tab: Page, ahead: timedelta) -> None:
    """Set the browser's clock, as a person or a time server does, and let one second pass."""
    tab.clock.set_system_time(datetime.fromisoformat(tab.evaluate(READ_WALL_CLOCK)) + ahead)
    tab.clock.run_for(1000)


def test_a_countdown_and_a_relative_time_are_right_at_once_after_sleep(add_webhook: AddWebhook) -> None:
    tab = press_with_own_clock(add_webhook("works"))
    tab.evaluate(STOP_MONOTONIC_CLOCK)
    tab.clock.fast_forward("00:30")
    expect(tab.locator(".countdown")).to_have_text(re.compile(r"^(2\d|3[0-2]) s$"))
    expect(tab.locator(".verdict > p:first-child [data-ago]").first).to_have_text(re.compile(r"^3\d s ago$"))
    tab.clock.fast_forward("00:31")
    expect(button(tab)).to_have_text(READY)


def test_a_clock_that_is_set_back_does_not_stop_the_countdown(add_webhook: AddWebhook) -> None:
    tab = press_with_own_clock(add_webhook("works"))
    set_wall_clock(tab, timedelta(hours=-1))
    before = seconds_left(tab)
    tab.clock.run_for(5000)
    assert before - 7 <= seconds_left(tab) <= before - 4


def test_a_browser_whose_clock_is_wrong_shows_the_servers_times(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    tab.clock.install(time=datetime(2031, 1, 1, tzinfo=UTC))
    tab.reload()
    tab.clock.run_for(1000)
    assert 0 < seconds_left(tab) <= 60
    tab.goto("/broken")
    tab.clock.run_for(1000)
    for text in tab.locator("[data-ago]").all_text_contents():
        assert text.endswith(("s ago", "min ago", "h ago", "d ago", "just now"))
        assert int(text.partition(" ")[0] if text != "just now" else 0) < 1000


def test_a_ticking_time_announces_nothing(add_webhook: AddWebhook) -> None:
    tab = press_with_own_clock(add_webhook("works"))
    expect(tab.locator("#receipt time").first).to_be_visible()
    tab.evaluate(
        """() => {
            window.announced = [];
            const isLive = (node) => node.parentElement?.closest("[aria-live]")?.ariaLive === "polite";
            new MutationObserver((all) => announced.push(...all.filter(({ target }) => isLive(target)).map(String)))
              .observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    tab.clock.run_for(5000)
    expect(tab.locator("#receipt time small").first).to_have_text(re.compile(r"^([5-9]|1\d) s ago$"))
    assert tab.evaluate("announced") == []
