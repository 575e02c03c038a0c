"""The main journey in a real browser: press Send test, see Pending, then the result, and find the message."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.browser.conftest import AddWebhook, OpenTab, Sessions, look_around, open_new_webhook
from tests.browser.running_demo import RunningDemo
from tests.browser.sent_forms import send

MANY_TABS = 40
# Milliseconds.
RETRIED_WITHIN = 120_000

# What the button says; the name of the destination follows for screen readers.
READY, COUNTING = re.compile(r"^\s*Send test"), re.compile(r"Test again in \d+ s")

# htmx shows the response before it ends the request.
NOTE_END = """() => {
    document.documentElement.dataset.press = "under way";
    const note = ({ detail: { ctx } }) => {
        if (!ctx.sourceElement.matches("button[hx-post], form[hx-post]")) return;
        document.removeEventListener("htmx:finally:request", note);
        queueMicrotask(() => { document.documentElement.dataset.press = "ended"; });
    };
    document.addEventListener("htmx:finally:request", note);
}"""

# The interval that each poll follows, and its time, in milliseconds.
NOTE_POLLS = """() => {
    window.polls = [];
    document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
        const interval = ctx.sourceElement.matches(".status[hx-get]") && ctx.sourceElement.getAttribute("hx-trigger");
        if (interval) polls.push([parseInt(interval.match(/\\d+/)[0]), performance.now()]);
        document.documentElement.dataset.polls = polls.length;
    });
}"""

# Milliseconds in which a second press of the same button is ignored as impatience; see static/press.js.
IMPATIENT = 1000


def button(tab: Page) -> Locator:
    return tab.locator(".send")


def seconds_left(tab: Page) -> int:
    return int(tab.locator(".countdown").inner_text().removesuffix(" s"))


@contextmanager
def press_that_ends(tab: Page) -> Iterator[None]:
    """Press in a `with`, and wait until its request has ended: until then, the page stops another press."""
    tab.evaluate(NOTE_END)
    yield
    expect(tab.locator("html")).to_have_attribute("data-press", "ended")


def expect_badge(tab: Page, badge: str, timeout: int | None = None) -> None:
    expect(tab.locator("[data-last-test]")).to_have_attribute("data-last-test", badge, timeout=timeout)


def reference(tab: Page) -> str:
    return tab.locator(".verdict > p:first-child a").inner_text()


def messages(tab: Page, text: str) -> Locator:
    """Open the inbox and find the messages that contain a text."""
    tab.goto("/demo/inbox")
    return tab.locator(".inbox-message", has_text=text)


def note_polls(tab: Page) -> list[Request]:
    """Collect polls from now on."""
    polls: list[Request] = []
    tab.on("request", lambda request: polls.append(request) if request.url.endswith("/status") else None)
    return polls


def measure_pauses(tab: Page) -> list[float]:
    """Return the milliseconds between three polls, as the page measures them, however busy the machine is."""
    tab.evaluate(NOTE_POLLS)
    expect(tab.locator("html")).to_have_attribute("data-polls", re.compile("^[3-9]$"))
    times = [time for _, time in tab.evaluate("polls")]
    return [after - before for before, after in pairwise(times)]


def press_tab_until_focused(tab: Page, wanted: Locator) -> None:
    for _ in range(MANY_TABS):
        tab.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("the Tab key does not lead there")


def submit_wrong_address(tab: Page) -> None:
    tab.goto("/w/harbor/destinations/new/webhook")
    tab.get_by_label("Name").fill("Ops webhook")
    tab.get_by_label("Address").fill("ftp://files.example.com/canary-address")
    tab.get_by_label("Signing secret").fill("whsec_canarysecretcanarysecretcanary")
    tab.get_by_role("button", name="Add destination").click()


def respond_bad_gateway(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")


def disconnect(route: Route) -> None:
    route.abort("internetdisconnected")


@pytest.fixture(scope="module")
def busy(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> Iterator[Page]:
    """A press shared by the first and the last test: its receiver is busy twice, which takes 20 seconds."""
    with chromium.new_context(base_url=demo.address, storage_state=sessions["admin"]) as context:
        tab = open_new_webhook(context.new_page(), demo, "busy-twice")
        button(tab).click()
        yield tab


def test_while_a_receiver_is_busy_the_badge_is_pending_with_the_reason(busy: Page) -> None:
    expect(busy.get_by_text("127.0.0.1 answered 503").first).to_be_visible()
    expect_badge(busy, "pending")


def test_a_press_shows_pending_then_sent_and_the_message_is_in_the_inbox(add_webhook: AddWebhook) -> None:
    tab = add_webhook("slow")
    button(tab).click()
    expect_badge(tab, "pending")
    expect_badge(tab, "sent")
    arrived = messages(tab, reference(tab))
    expect(arrived).to_have_count(1)
    expect(arrived).to_contain_text("Signature valid")


def test_the_result_appears_without_a_reload(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.evaluate("window.loadedOnce = true")
    button(tab).click()
    expect_badge(tab, "sent")
    assert tab.evaluate("window.loadedOnce")


def test_a_refusing_receiver_shows_failed_with_cause_and_next_step_in_plain_text(add_webhook: AddWebhook) -> None:
    tab = add_webhook("missing")
    button(tab).click()
    expect_badge(tab, "failed")
    expect(
        tab.get_by_text("127.0.0.1 answered 404: it does not know this address, or no longer accepts it.").first
    ).to_be_visible()
    expect(tab.get_by_text("Next: Check the host and the path of the address")).to_be_visible()


def test_a_history_filter_is_kept_in_the_url_and_back_removes_it(support: Page) -> None:
    support.goto("/w/harbor/history")
    support.evaluate("window.loadedOnce = true")
    support.get_by_label("Kind").select_option("real")
    expect(support).to_have_url(re.compile("kind=real"))
    expect(support.get_by_role("cell", name="Test", exact=True)).to_have_count(0)
    assert support.evaluate("window.loadedOnce")
    support.go_back()
    expect(support).to_have_url(re.compile("/history$"))
    expect(support.get_by_label("Kind")).to_have_value("")
    expect(support.get_by_role("cell", name="Test", exact=True).first).to_be_visible()


def test_a_refused_message_is_marked_refused_in_the_inbox(add_webhook: AddWebhook) -> None:
    tab = add_webhook("missing")
    button(tab).click()
    expect_badge(tab, "failed")
    expect(messages(tab, reference(tab))).to_contain_text("Refused with 404")


def test_the_button_counts_down_after_a_press(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect(button(tab)).to_have_text(re.compile(r"Test again in \d+ s"))
    at_first = seconds_left(tab)
    expect(tab.locator(".countdown")).not_to_have_text(f"{at_first} s")
    assert 0 < seconds_left(tab) < at_first <= 60


def test_the_button_works_again_after_the_countdown(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.clock.install()
    tab.reload()
    with press_that_ends(tab):
        button(tab).click()
    expect_badge(tab, "sent")
    expect(button(tab)).to_have_text(COUNTING)
    tab.route(tab.url, disconnect)  # a refresh would bring the server's clock, which the test does not move
    tab.clock.fast_forward("01:01")
    expect(button(tab)).to_have_text(READY)
    button(tab).click()  # sends, and plans nothing: the server's clock, which did not move, refuses it
    expect(tab.get_by_role("alert")).to_contain_text("Not sent: a test was sent")


def test_a_press_in_another_tab_within_the_minute_is_refused_and_makes_no_second_message(
    add_webhook: AddWebhook,
) -> None:
    tab = add_webhook("works")
    name = tab.locator("h1").inner_text()
    other = tab.context.new_page()
    other.goto(tab.url)
    button(tab).click()
    expect_badge(tab, "sent")
    button(other).click()
    expect(other.get_by_role("alert")).to_have_text(
        "Not sent: a test was sent to this destination less than a minute ago."
    )
    expect(button(other)).to_have_text(COUNTING)
    expect(messages(other, name)).to_have_count(1)


def test_focus_stays_on_the_button_through_the_swaps(add_webhook: AddWebhook) -> None:
    tab = add_webhook("slow")
    button(tab).focus()
    button(tab).click()
    expect_badge(tab, "pending")
    expect(button(tab)).to_be_focused()
    expect_badge(tab, "sent")
    expect(button(tab)).to_be_focused()


def test_the_focus_stays_in_the_status_whose_button_can_no_longer_be_pressed(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).focus()
    send(tab.context, f"{tab.url}/disable")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("This destination is disabled.")).to_be_visible()
    expect(tab.locator(".status")).to_be_focused()


def test_the_badge_changes_inside_one_persistent_live_region(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    region = tab.locator("[data-last-test][aria-live=polite]").element_handle()
    button(tab).click()
    expect_badge(tab, "sent")
    assert region.evaluate("element => element.isConnected && element.innerText.trim()") == "Sent"


def test_the_final_fragment_does_not_poll(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    button(tab).click()
    expect_badge(tab, "sent")
    polls = note_polls(tab)
    tab.wait_for_timeout(3000)
    assert polls == []


def test_a_pending_fragment_polls_more_slowly_as_it_ages(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    tab.evaluate(NOTE_POLLS)
    button(tab).click()
    expect(tab.locator(".status")).to_have_attribute("hx-trigger", re.compile(r"every \d{4}ms"))
    intervals = [interval for interval, _ in tab.evaluate("polls")]
    assert intervals[0] < 1000  # in between, the demo's other open pages may stretch an interval


def test_polling_survives_a_bad_gateway_and_a_lost_network(add_webhook: AddWebhook) -> None:
    tab = add_webhook("slow")
    tab.route("**/status", disconnect, times=2)
    tab.route("**/status", respond_bad_gateway, times=2)
    polls = note_polls(tab)
    button(tab).click()
    expect_badge(tab, "sent")
    assert len(polls) >= 5
    expect(tab.get_by_text("Bad gateway")).to_have_count(0)


@pytest.mark.parametrize("respond", [respond_bad_gateway, disconnect])
def test_a_failing_server_is_polled_once_a_second(add_webhook: AddWebhook, respond: Callable[[Route], None]) -> None:
    tab = add_webhook("slow")  # still pending when the press is answered
    tab.route("**/status", respond)
    button(tab).click()
    expect(tab.locator("#stale")).to_be_visible()
    assert min(measure_pauses(tab)) > 900
    tab.unroute("**/status")
    expect_badge(tab, "sent")


def test_a_failing_server_is_polled_no_more_often_than_before(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    button(tab).click()
    # A response of the first, fast polls that is under way would bring back its own interval.
    expect(tab.locator(".status")).to_have_attribute("hx-trigger", re.compile(r"every \d{4}ms"))
    tab.route("**/status", respond_bad_gateway)
    slow_down = "status => { status.setAttribute('hx-trigger', 'every 3000ms'); htmx.process(status, true); }"
    tab.locator(".status").evaluate(slow_down)
    expect(tab.locator("#stale")).to_be_visible()
    assert min(measure_pauses(tab)) > 2900


def test_a_session_that_expires_while_pending_leads_the_whole_page_to_the_sign_in(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    button(tab).click()
    # A pending response, of the details or of a fast poll, would set the cookie again.
    expect(tab.locator("#details tbody tr")).to_contain_text("Pending")
    expect(tab.locator(".status")).to_have_attribute("hx-trigger", re.compile(r"every \d{4}ms"))
    tab.context.clear_cookies()
    expect(tab).to_have_url(re.compile("/sign-in"))
    expect(tab.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(tab.locator(".status")).to_have_count(0)


def test_a_press_with_an_expired_session_leads_to_the_sign_in(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.context.clear_cookies()
    button(tab).click()
    expect(tab).to_have_url(re.compile("/sign-in"))


def test_the_keyboard_alone_is_enough_to_send(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    press_tab_until_focused(tab, button(tab))
    tab.keyboard.press("Enter")
    expect_badge(tab, "sent")


def test_support_may_test_and_sees_no_edit_or_add_controls(support: Page) -> None:
    support.goto("/w/clinic/destinations")
    expect(support.get_by_role("heading", name="Mill Street Clinic")).to_be_visible()
    expect(support.get_by_role("link", name="Add destination")).to_have_count(0)
    support.get_by_role("link", name="Reception channel").click()
    expect(support.get_by_role("link", name="Edit")).to_have_count(0)
    expect(support.get_by_role("link", name="Delete")).to_have_count(0)
    button(support).click()
    expect_badge(support, "sent")


def test_a_viewer_sees_badges_and_no_button(viewer: Page) -> None:
    viewer.goto("/w/harbor/destinations?q=Operations+channel")
    expect(viewer.locator("[data-last-test]").first).to_be_visible()
    expect(button(viewer)).to_have_count(0)
    viewer.get_by_role("link", name="Operations channel").click()
    expect(viewer.locator("[data-last-test]")).to_be_visible()
    expect(button(viewer)).to_have_count(0)


def test_a_form_with_a_wrong_address_keeps_the_name_and_explains_the_error_at_the_field(admin: Page) -> None:
    submit_wrong_address(admin)
    expect(admin.get_by_label("Name")).to_have_value("Ops webhook")
    address = admin.get_by_label("Address")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_have_accessible_description(re.compile("it does not begin with https://"))


def test_a_refused_form_repeats_no_secret(admin: Page) -> None:
    submit_wrong_address(admin)
    expect(admin.locator("#address-error")).to_be_visible()
    assert "canary" not in admin.content()


def test_delete_asks_for_confirmation(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    name, address = tab.locator("h1").inner_text(), tab.url
    tab.get_by_role("link", name="Delete").click()
    expect(tab.get_by_role("heading", name=f"Delete {name}?")).to_be_visible()
    tab.get_by_role("link", name="Keep it").click()
    expect(tab).to_have_url(address)


def test_a_confirmed_delete_takes_the_destination_off_the_list(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    name = tab.locator("h1").inner_text()
    tab.get_by_role("link", name="Delete").click()
    tab.get_by_role("button", name="Delete").click()
    expect(tab.get_by_text(f"{name} was deleted.")).to_be_visible()
    expect(tab.get_by_role("link", name=name)).to_have_count(0)


def test_without_javascript_pages_render_and_sign_in_works(open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False)
    look_around(tab, "admin")
    tab.goto("/w/harbor/destinations?q=Old+ticket+system")  # this module's webhooks may fill the first page
    tab.get_by_role("link", name="Old ticket system").click()
    expect(tab.locator("[data-last-test]")).to_be_visible()
    tab.get_by_role("link", name="Edit").click()
    expect(tab.get_by_label("Name")).to_have_value("Old ticket system")


@pytest.mark.slow
def test_a_receiver_that_was_busy_twice_gets_the_message_with_the_third_attempt(busy: Page) -> None:
    expect_badge(busy, "sent", RETRIED_WITHIN)
    expect(messages(busy, reference(busy))).to_have_count(3)


@pytest.mark.parametrize("status", [502, 503])
def test_a_gateway_error_leaves_the_badge_and_shows_that_the_server_does_not_respond(
    add_webhook: AddWebhook, status: int
) -> None:
    tab = add_webhook("works")
    tab.route("**/test", lambda route: route.fulfill(status=status, body="no healthy upstream"))

    button(tab).click()

    expect(tab.locator("#stale")).to_be_visible()
    expect_badge(tab, "never")


def test_a_press_while_the_database_is_locked_shows_why_and_what_to_do(
    add_webhook: AddWebhook, demo: RunningDemo
) -> None:
    tab = add_webhook("works")
    with closing(sqlite3.connect(demo.data / "alertcheck.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        button(tab).click()

        expect(tab.locator("#stale")).to_contain_text("Your request may not have completed.")
        other.execute("ROLLBACK")
    expect_badge(tab, "never")
    button(tab).click()
    expect_badge(tab, "sent")
    expect(tab.locator("#stale")).to_be_hidden()


def test_a_press_without_a_queue_shows_that_nothing_was_sent(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    fragment = '<div class="status"><b data-last-test="failed">Failed</b> Nothing was sent.</div>'
    tab.route("**/test", lambda route: route.fulfill(status=503, content_type="text/html", body=fragment))

    button(tab).click()

    expect_badge(tab, "failed")
    expect(tab.locator("#stale")).to_be_hidden()


def test_the_list_of_last_tests_is_updated_after_a_press(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    expect(tab.locator("#details")).to_contain_text("No test has been sent yet.")

    button(tab).click()

    expect(tab.locator("#details tbody tr")).to_contain_text("Sent")
