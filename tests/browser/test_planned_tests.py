"""Fix and test again in a real browser: Save and test, the plan on the page, its result, and a button that is busy."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import AddWebhook, OpenTab, Sessions
from tests.browser.page_checks import find_barriers
from tests.browser.running_demo import RunningDemo
from tests.browser.test_journey import COUNTING, IMPATIENT, button, expect_badge, press_that_ends, reference

# Milliseconds: a cooldown, and what a busy machine adds.
NEXT_TEST_WITHIN = 120_000

CLICK_ON_THE_ANSWER = """addEventListener(
    "htmx:finally:request", () => setTimeout(() => document.querySelector(".send").click()), { once: true }
)"""


def test_settings_changed_within_the_minute_are_saved_and_tested_without_a_reload(
    add_webhook: AddWebhook, demo: RunningDemo, open_tab: OpenTab, sessions: Sessions
) -> None:
    tab = add_webhook("missing")
    path = tab.url
    button(tab).click()
    expect_badge(tab, "failed")
    failed = reference(tab)
    tab.get_by_role("link", name="Edit").click()
    tab.get_by_label("Address").fill(demo.receiver("webhook/works"))
    tab.get_by_role("button", name="Save and test").click()
    expect(tab.get_by_text(re.compile(r"Planned: sends at \d\d:\d\d:\d\d UTC, by"))).to_be_visible()
    expect_badge(tab, "failed")
    tab.evaluate("window.loadedOnce = true")
    colleague = open_tab(storage_state=sessions["viewer"])
    colleague.goto(path)
    expect(colleague.get_by_text("Planned: sends at")).to_be_visible()
    assert find_barriers(tab) == []

    expect_badge(tab, "sent", NEXT_TEST_WITHIN)

    assert tab.evaluate("window.loadedOnce")
    assert reference(tab) != failed
    expect(tab.get_by_text("Planned: sends at")).to_have_count(0)
    expect_badge(colleague, "sent")


def test_a_planned_test_is_made_and_canceled_by_keyboard_and_keeps_the_focus(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).focus()
    with press_that_ends(tab):
        tab.keyboard.press("Enter")
    expect(button(tab)).to_have_text(COUNTING)
    expect_badge(tab, "sent")
    tab.wait_for_timeout(IMPATIENT)
    with press_that_ends(tab):
        tab.keyboard.press("Enter")
    expect(button(tab)).to_have_text(re.compile(r"Sends in \d+ s"))
    expect(button(tab)).to_be_focused()
    expect(button(tab)).to_have_accessible_name(re.compile("^Sends in"))
    tab.keyboard.press("Enter")  # a hasty second press neither cancels it nor sends anything
    tab.get_by_role("button", name="Cancel the planned test").press("Enter")
    expect(tab.get_by_text("canceled the planned test. Nothing was sent.")).to_be_visible()
    expect(button(tab)).to_have_text(COUNTING)
    expect(button(tab)).to_be_focused()
    expect(button(tab)).to_have_accessible_name(re.compile("^Test again in"))


def _click(tab: Page, count: int) -> None:
    """Click as a browser reports the click with this number at the same place."""
    button(tab).hover()
    tab.mouse.down(click_count=count)
    tab.mouse.up(click_count=count)


def _press_enter(tab: Page, _count: int) -> None:
    """Press Enter, or report that it is still held."""
    button(tab).focus()
    tab.keyboard.down("Enter")


def _click_on_the_answer(tab: Page, count: int) -> None:
    """Click, and once more as soon as the answer is there."""
    if count == 1:
        tab.evaluate(CLICK_ON_THE_ANSWER)
        button(tab).click()


@pytest.mark.parametrize("press", [_click, _press_enter, _click_on_the_answer])
def test_neither_a_double_click_nor_a_held_key_nor_impatience_plans_a_second_test(
    add_webhook: AddWebhook, press: Callable[[Page, int], None]
) -> None:
    tab = add_webhook("works")
    planned: list[str] = []
    tab.on("request", lambda request: planned.append(request.url) if request.url.endswith("/plan") else None)
    with press_that_ends(tab):
        press(tab, 1)
    expect(button(tab)).to_have_text(COUNTING)

    press(tab, 2)
    tab.keyboard.up("Enter")
    expect_badge(tab, "sent")
    assert planned == []

    tab.wait_for_timeout(IMPATIENT)
    with press_that_ends(tab):
        button(tab).press("Enter")
    assert len(planned) == 1


def test_a_button_is_busy_while_its_press_is_under_way_and_posts_once(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    held: list[Route] = []
    tab.route("**/test", lambda route: held.append(route))
    button(tab).click()
    expect(button(tab)).to_have_attribute("aria-busy", "true")
    expect(tab.get_by_role("status").filter(has_text="Sending a test.")).to_have_count(1)
    button(tab).click(force=True)
    button(tab).press("Enter")
    expect(button(tab)).to_be_focused()

    assert len(held) == 1
    held[0].continue_()
    expect_badge(tab, "sent")
    expect(button(tab)).not_to_have_attribute("aria-busy", "true")


def test_a_press_that_plans_a_test_announces_that(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    tab.wait_for_timeout(IMPATIENT)
    tab.route("**/plan", lambda route: None)  # never answered
    button(tab).click()
    expect(tab.get_by_role("status").filter(has_text="Planning a test.")).to_have_count(1)


def test_a_press_whose_response_is_lost_can_be_repeated(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.route("**/test", lambda route: route.abort("internetdisconnected"))
    button(tab).click()
    expect(tab.locator("#stale")).to_be_visible()
    expect(button(tab)).not_to_have_attribute("aria-busy", "true")
    tab.unroute("**/test")
    button(tab).click()
    expect_badge(tab, "sent")


def test_two_clicks_on_save_and_test_send_one_form(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.get_by_role("link", name="Edit").click()
    posts: list[Request] = []
    tab.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    tab.get_by_role("button", name="Save and test").dblclick()
    expect_badge(tab, "sent")

    assert [request.url.rpartition("/")[2] for request in posts] == ["check", "edit"]
    expect(tab.get_by_text("Planned")).to_have_count(0)


def test_without_javascript_a_test_is_planned_and_canceled(
    add_webhook: AddWebhook, open_tab: OpenTab, sessions: Sessions
) -> None:
    path = add_webhook("works").url
    tab = open_tab(storage_state=sessions["admin"], java_script_enabled=False)
    tab.goto(path)
    button(tab).click()
    expect(button(tab)).to_have_text(COUNTING)  # else the second click could meet the page before the first
    button(tab).click()
    expect(tab.get_by_text("Planned: sends at")).to_be_visible()
    tab.get_by_role("button", name="Cancel the planned test").click()
    expect(tab.get_by_text("canceled the planned test. Nothing was sent.")).to_be_visible()
