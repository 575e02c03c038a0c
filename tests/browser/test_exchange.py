"""The exchange on a destination's page: folded, then its bar and its numbers, by keyboard and on a phone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import AddWebhook, OpenTab, Sessions
from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers

PHONE = {"width": 360, "height": 740}
NARROW = {"width": 320, "height": 640}  # a window of 1,280 pixels at 400 %


def send_test(tab: Page) -> None:
    tab.get_by_role("button", name="Send test").click()
    expect(tab.locator("[data-last-test='sent']")).to_be_visible()
    expect(tab.locator("#exchange")).to_be_attached()


def test_the_exchange_is_folded_until_it_is_opened_by_keyboard(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    send_test(tab)
    expect(tab.locator(".timing")).to_be_hidden()

    tab.locator("#exchange > summary").focus()
    tab.keyboard.press("Enter")

    expect(tab.locator(".timing")).to_be_visible()
    expect(tab.locator(".timing-steps")).to_contain_text(re.compile(r"Connection: [\d.,]+ ms"))
    expect(tab.locator(".timing-steps")).to_contain_text(re.compile(r"First byte: [\d.,]+ ms"))
    expect(tab.locator("#exchange")).to_contain_text("127.0.0.1 (IPv4)")
    widths = tab.locator(".timing rect").evaluate_all("all => all.map(step => step.getBoundingClientRect().width)")
    assert sum(widths) > 0


def test_the_report_names_the_timing(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    send_test(tab)

    assert "Timing: connection" in tab.get_by_label("Report", exact=True).input_value()


def test_the_open_exchange_has_no_barrier_and_fits_a_phone_in_light_dark_and_forced_colors(
    add_webhook: AddWebhook, open_tab: OpenTab, sessions: Sessions
) -> None:
    first = add_webhook("works")
    send_test(first)
    tab = open_tab(storage_state=sessions["admin"], viewport=PHONE)
    tab.goto(first.url)
    tab.locator("#exchange > summary").click()
    expect(tab.locator(".timing")).to_be_visible()

    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert find_barriers(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")

    tab.emulate_media(forced_colors="active")
    fills = tab.locator(".timing rect").evaluate_all("all => all.map(step => getComputedStyle(step).fill)")
    assert fills[0] == tab.locator("body").evaluate("body => getComputedStyle(body).color")
    assert fills[1] != fills[0]


def test_the_details_and_a_suggestion_of_the_service_fit_a_narrow_page(open_tab: OpenTab, sessions: Sessions) -> None:
    tab = open_tab(storage_state=sessions["admin"], viewport=NARROW)
    tab.goto("/w/harbor/destinations")
    tab.get_by_role("link", name="Truck drivers").click()
    tab.get_by_role("button", name="Send test").click()

    expect(tab.get_by_role("button", name="Use the new chat id")).to_be_visible()

    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
