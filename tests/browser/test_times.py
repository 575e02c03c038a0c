"""Times and countdowns in a real browser: exact where they are evidence, else on hover; never announced each second."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import AddWebhook
from tests.browser.running_demo import RunningDemo
from tests.browser.test_journey import button, expect_badge, press_tab_until_focused

# For five seconds, what a button shows and what it is called.
NOTE_NAMES = """(button) => new Promise((resolve) => {
    const [names, shown] = [new Set(), new Set()];
    const note = () => names.add(button.ariaLabel) && shown.add(button.querySelector(".countdown").textContent);
    const timer = setInterval(note, 50);
    setTimeout(() => { clearInterval(timer); resolve([[...names], [...shown]]); }, 5000);
})"""
# The lines that each text takes when its time is as narrow as a letter.
COUNT_LINES = """(spans) => spans.map((span) => {
    Object.assign(span.parentElement.style, { display: "block", width: "1em" });
    return span.getClientRects().length;
})"""
READ_TOOLTIP = """(time) => {
    const { clipPath, height, content } = getComputedStyle(time, "::after");
    return clipPath === "none" && height !== "1px" ? JSON.parse(content) : "none";
}"""
EXACT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def tooltip(time: Locator) -> str:
    """Return what appears below a relative time; "none" while nothing does."""
    shown: str = time.evaluate(READ_TOOLTIP)
    return shown


def test_a_relative_time_shows_the_exact_one_on_hover_and_after_a_tap(support: Page) -> None:
    support.goto("/w/harbor/destinations")
    first, second = [support.locator(".verdict > p:first-child [data-ago]").nth(number) for number in (0, 1)]
    exact = first.get_attribute("data-ago")
    assert EXACT.fullmatch(exact or "")
    assert tooltip(first) == "none"
    first.hover()
    assert (tooltip(first), tooltip(second)) == (exact, "none")
    second.hover()
    assert tooltip(first) == "none"
    first.focus()  # as a tap does
    assert tooltip(first) == exact


def test_a_relative_time_shows_the_exact_one_while_the_keyboard_is_at_its_row(support: Page) -> None:
    support.goto("/w/harbor/destinations")
    row = support.locator(".destination", has=support.locator(".verdict > p:first-child [data-ago]")).first
    press_tab_until_focused(support, row.locator("h2 a"))
    assert EXACT.search(tooltip(row.locator(".verdict > p:first-child [data-ago]")))
    support.locator("h1").click()
    assert tooltip(row.locator(".verdict > p:first-child [data-ago]")) == "none"


def test_what_is_evidence_shows_the_exact_time_and_how_long_ago_it_was(support: Page) -> None:
    support.goto("/w/harbor/history")
    first = support.locator("td time").first
    expect(first).to_have_text(re.compile(r"^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d, \d+ (s|min|h|d) ago$"))
    expect(support.locator("[data-zone]")).to_have_text("UTC")


def test_a_relative_time_is_never_broken_across_lines(support: Page) -> None:
    support.goto("/w/harbor/destinations")
    lines = support.locator(".verdict > p:first-child [data-ago]").evaluate_all(COUNT_LINES)
    assert lines
    assert set(lines) == {1}


def test_a_screen_reader_gets_the_exact_time(support: Page, demo: RunningDemo) -> None:
    support.goto(demo.fill_in("/w/harbor/destinations/<Old ticket system>"))
    nodes = support.context.new_cdp_session(support).send("Accessibility.getFullAXTree")["nodes"]
    read = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == "StaticText"]
    assert any(re.fullmatch(rf", {EXACT.pattern}", text) for text in read), read


def test_the_name_of_a_button_that_counts_down_contains_what_it_shows(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    button(tab).blur()
    expect(button(tab)).to_have_accessible_name(re.compile(r"^Test again in \d+ s ?, Webhook"))


def test_the_name_of_a_focused_button_does_not_change_each_second(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    expect(button(tab)).to_have_attribute("aria-label", re.compile(r"^Test again in \d+ s ?, Webhook"))
    names, shown = tab.evaluate(NOTE_NAMES, button(tab).element_handle())
    assert len(shown) >= 4
    assert len(names) <= 2
