"""An open page in a real browser: it shows what others did within a minute, and keeps what the person has at hand."""

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import AddWebhook, OpenTab, Sessions
from tests.browser.running_demo import RunningDemo
from tests.browser.sent_forms import add_named, send
from tests.browser.test_journey import button, disconnect, expect_badge, respond_bad_gateway

LIST = "/w/harbor/destinations"
MINUTE = "01:10"  # with the longest jitter
# A moment that is long enough for a request that should not be sent.
MOMENT = 1500

SET_HIDDEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
RETURN_FROM_CACHE = "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
NOTE_ANNOUNCEMENTS = """() => {
    window.announced = [];
    const isLive = "[aria-live], [role=status], [role=alert]";
    const find = (node) => (node.closest ? node : node.parentElement)?.closest(isLive);
    new MutationObserver((all) => {
        for (const { target } of all) {
            const region = find(target);
            if (region && region.ariaLive !== "off") announced.push(region.innerText.trim());
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
# Some browsers do not keep the view by themselves.
LEAVE_VIEW_TO_PAGE = "document.documentElement.style.overflowAnchor = 'none'"
# Adds something to the page that the server does not know, so that a swap removes it.
ADD_UNKNOWN_PART = "() => { page.append(Object.assign(document.createElement('p'), { id: 'unknown' })); }"
# When the server rendered the page: on a busy machine, the next minute may have begun since.
READ_AS_OF = """() => new Date(page.dataset.now).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })"""
IS_FILLED = "document.documentElement.scrollHeight > innerHeight"

GATEWAY_PAGE = "<!doctype html><html><body><h1>Company sign-in</h1></body></html>"

Press = Callable[[Page], None]


@pytest.fixture
def colleague(open_tab: OpenTab, sessions: Sessions) -> Page:
    """Another person's tab."""
    return open_tab(storage_state=sessions["support"])


@pytest.fixture
def press_as_colleague(colleague: Page) -> Press:
    """Let the colleague test the destination that a tab shows, until the result is there."""

    def press(tab: Page) -> None:
        colleague.goto(tab.url)
        button(colleague).click()
        expect_badge(colleague, "sent")

    return press


def watch(tab: Page, path: str | None = None) -> Page:
    """Open a page in a tab whose clock the test moves."""
    tab.clock.install()
    tab.goto(path or tab.url)
    return tab


def unique(name: str) -> str:
    return f"{name} {os.urandom(4).hex()}"


def note_refreshes(tab: Page) -> list[Request]:
    """Collect refreshes from now on."""
    found: list[Request] = []
    tab.on("request", lambda one: found.append(one) if one.headers.get("hx-source") == "div#page" else None)
    return found


def pass_a_minute(tab: Page) -> None:
    """Let a minute pass, and wait for the refresh."""
    with tab.expect_response(lambda response: response.request.headers.get("hx-source") == "div#page"):
        tab.clock.fast_forward(MINUTE)


def test_a_destinations_page_shows_another_persons_result_within_a_minute(
    add_webhook: AddWebhook, press_as_colleague: Press
) -> None:
    tab = watch(add_webhook("works"))
    press_as_colleague(tab)
    expect_badge(tab, "never")
    tab.clock.fast_forward(MINUTE)
    expect_badge(tab, "sent")
    expect(tab.locator(".verdict > p:first-child")).to_contain_text("by Demo support")
    expect(tab.locator("#details tbody tr")).to_contain_text("Sent")


def test_a_list_shows_what_others_added_renamed_disabled_deleted_and_tested(
    admin: Page, colleague: Page, demo: RunningDemo
) -> None:
    word = os.urandom(4).hex()
    old, off, gone, tested = (
        add_named(admin.context, demo, f"{name} {word}") for name in ("1 old", "2 off", "3 gone", "4 tested")
    )
    tab = watch(admin, f"{LIST}?q={word}&order=name")
    expect(tab.locator(".destination h2")).to_have_count(4)
    summary = tab.locator("#state p").inner_text()

    new = {"name": f"5 renamed {word}", "address": "", "signing_secret": ""}
    send(admin.context, f"{demo.address}{old}/edit", new)
    send(admin.context, f"{demo.address}{off}/disable")
    send(admin.context, f"{demo.address}{gone}/delete")
    add_named(admin.context, demo, f"6 added {word}")
    colleague.goto(tested)
    button(colleague).click()
    expect_badge(colleague, "sent")
    pass_a_minute(tab)

    names = [f"{name} {word}" for name in ("2 off", "4 tested", "5 renamed", "6 added")]
    expect(tab.locator(".destination h2")).to_have_text(names)
    expect(tab.locator(".destination.off")).to_contain_text("Disabled")
    expect(tab.locator("[data-last-test=sent]")).to_have_count(1)
    expect(tab.locator("#state p")).not_to_have_text(summary)
    expect(tab).to_have_url(re.compile(rf"q={word}&order=name$"))
    expect(tab.get_by_label("Name contains")).to_have_value(word)
    expect(tab.get_by_label("Sort order")).to_have_value("name")


def test_a_hidden_tab_asks_nothing_and_is_right_when_it_becomes_visible(
    add_webhook: AddWebhook, press_as_colleague: Press
) -> None:
    tab = watch(add_webhook("works"))
    refreshes = note_refreshes(tab)
    tab.evaluate(SET_HIDDEN, True)
    press_as_colleague(tab)
    tab.clock.fast_forward("10:00")
    tab.wait_for_timeout(MOMENT)
    assert refreshes == []
    expect_badge(tab, "never")
    tab.evaluate(SET_HIDDEN, False)
    expect_badge(tab, "sent")
    assert len(refreshes) == 1


def test_a_pending_badge_in_a_hidden_tab_polls_only_when_the_tab_is_visible_again(add_webhook: AddWebhook) -> None:
    tab = add_webhook("slow")
    with tab.expect_response("**/watch?*"), tab.expect_response("**/details"):  # both follow a press
        button(tab).click()
    expect_badge(tab, "pending")
    polls: list[Request] = []
    tab.evaluate(SET_HIDDEN, True)
    tab.wait_for_timeout(MOMENT)  # a poll may have been on its way
    tab.on("request", lambda request: polls.append(request))
    tab.wait_for_timeout(MOMENT)
    assert polls == []
    tab.evaluate(SET_HIDDEN, False)
    expect_badge(tab, "sent")


def test_a_page_that_comes_back_from_the_cache_is_right_at_once(
    add_webhook: AddWebhook, press_as_colleague: Press
) -> None:
    tab = add_webhook("works")
    press_as_colleague(tab)
    tab.wait_for_timeout(1000)
    tab.evaluate(RETURN_FROM_CACHE)
    expect_badge(tab, "sent")


def test_a_computer_that_slept_shows_the_new_state_at_once(add_webhook: AddWebhook, press_as_colleague: Press) -> None:
    tab = watch(add_webhook("works"))
    tab.evaluate("() => { const stopped = performance.now(); performance.now = () => stopped; }")
    press_as_colleague(tab)
    tab.clock.fast_forward("00:20")
    expect_badge(tab, "sent")


def test_typed_text_focus_cursor_and_open_parts_stay(admin: Page, demo: RunningDemo) -> None:
    word = os.urandom(4).hex()
    tab = watch(admin, f"{LIST}?q={word}")
    field = tab.get_by_label("Name contains")
    field.focus()
    field.evaluate("field => { field.value = 'half a na'; field.setSelectionRange(2, 4); }")
    tab.locator("details.switcher").evaluate("details => { details.open = true }")
    add_named(admin.context, demo, f"New {word}")
    pass_a_minute(tab)
    expect(tab.locator(".destination h2")).to_have_text([f"New {word}"])
    expect(field).to_have_value("half a na")
    expect(field).to_be_focused()
    assert field.evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 4]
    expect(tab.locator("details.switcher")).to_have_attribute("open", "")


def test_an_open_report_stays_open_and_selected(add_webhook: AddWebhook, press_as_colleague: Press) -> None:
    tab = add_webhook("works")
    press_as_colleague(tab)
    watch(tab)
    tab.locator(".report summary").click()
    report = tab.get_by_label("Report", exact=True)
    report.select_text()
    pass_a_minute(tab)
    expect(report).to_be_visible()
    expect(report).to_be_focused()
    assert report.evaluate("box => box.selectionEnd - box.selectionStart === box.value.length")
    expect(tab.get_by_role("button", name="Copy report")).to_be_visible()


def watch_long_list(admin: Page, demo: RunningDemo, word: str) -> Page:
    """Open a list by name that is longer than the window, in a browser that leaves the view to the page."""
    for number in range(6):
        add_named(admin.context, demo, f"b{number} {word}")
    admin.set_viewport_size({"width": 360, "height": 500})
    tab = watch(admin, f"{LIST}?q={word}&order=name")
    tab.evaluate(LEAVE_VIEW_TO_PAGE)
    return tab


def test_rows_that_appear_above_move_neither_the_view_nor_the_focus(admin: Page, demo: RunningDemo) -> None:
    word = os.urandom(4).hex()
    tab = watch_long_list(admin, demo, word)
    assert tab.evaluate(IS_FILLED)
    pressed = tab.get_by_role("button", name=f"Send test to b4 {word}")
    pressed.focus()
    pressed.scroll_into_view_if_needed()
    before = pressed.bounding_box()
    for number in range(3):
        add_named(admin.context, demo, f"a{number} {word}")
    pass_a_minute(tab)
    expect(tab.locator(".destination")).to_have_count(9)
    expect(pressed).to_be_focused()
    after = pressed.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) <= 1


def test_without_a_focus_the_view_stays_too(admin: Page, demo: RunningDemo) -> None:
    word = os.urandom(4).hex()
    tab = watch_long_list(admin, demo, word)
    row = tab.locator(".destination", has_text=f"b4 {word}")
    tab.evaluate("y => scrollTo({ top: y, behavior: 'instant' })", row.bounding_box()["y"] - 100)  # type: ignore[index]
    add_named(admin.context, demo, f"a {word}")
    pass_a_minute(tab)
    expect(tab.locator(".destination")).to_have_count(7)
    assert abs(row.bounding_box()["y"] - 100) <= 1  # type: ignore[index]


def test_no_row_moves_while_a_button_is_pressed(admin: Page, demo: RunningDemo) -> None:
    word = os.urandom(4).hex()
    add_named(admin.context, demo, f"b {word}")
    tab = watch(admin, f"{LIST}?q={word}&order=name")
    refreshes = note_refreshes(tab)
    tab.get_by_role("button", name=f"Send test to b {word}").hover()
    add_named(admin.context, demo, f"a {word}")
    tab.mouse.down()
    tab.evaluate(RETURN_FROM_CACHE)
    tab.wait_for_timeout(MOMENT)
    assert refreshes == []
    tab.mouse.up()
    expect(tab.locator(".destination", has_text=f"b {word}").locator("[data-last-test]")).to_have_attribute(
        "data-last-test", "sent"
    )
    expect(tab.locator(".destination")).to_have_count(2)


def test_an_unchanged_page_announces_nothing(add_webhook: AddWebhook, press_as_colleague: Press) -> None:
    tab = add_webhook("works")
    press_as_colleague(tab)
    watch(tab)
    tab.evaluate(NOTE_ANNOUNCEMENTS)
    pass_a_minute(tab)
    expect(tab.locator("#page.htmx-request")).to_have_count(0)
    assert tab.evaluate("announced") == []


def test_a_changed_badge_is_announced_in_its_persistent_region(
    add_webhook: AddWebhook, press_as_colleague: Press
) -> None:
    tab = watch(add_webhook("works"))
    region = tab.locator("[data-last-test][aria-live=polite]").element_handle()
    tab.evaluate(NOTE_ANNOUNCEMENTS)
    press_as_colleague(tab)
    pass_a_minute(tab)
    expect_badge(tab, "sent")
    assert region.evaluate("element => element.isConnected && element.innerText.trim()") == "Sent"
    assert "Sent" in tab.evaluate("announced")


@pytest.mark.parametrize(
    "respond",
    [
        respond_bad_gateway,
        disconnect,
        lambda route: route.fulfill(status=503, body="no healthy upstream"),
        lambda route: route.fulfill(status=200, content_type="text/html", body=GATEWAY_PAGE),
        lambda route: route.fulfill(status=403, content_type="text/html", body=GATEWAY_PAGE),
    ],
    ids=["502", "no network", "503", "sign-in page of a proxy", "403 of a proxy"],
)
def test_a_page_that_cannot_ask_says_as_of_when_and_recovers(
    admin: Page, demo: RunningDemo, respond: Callable[[Route], None]
) -> None:
    word = os.urandom(4).hex()
    tab = watch(admin, f"{LIST}?q={word}")
    shown_at = tab.evaluate(READ_AS_OF)
    add_named(admin.context, demo, f"New {word}")
    tab.route(f"**{LIST}?q={word}", respond)
    pass_a_minute_without_response(tab)
    expect(tab.locator("#stale")).to_contain_text(
        f"The server is not responding. This page shows the state as of {shown_at}."
    )
    expect(tab.get_by_text("No destination matches the filter.")).to_be_visible()
    tab.unroute(f"**{LIST}?q={word}")
    tab.clock.fast_forward("00:10")
    expect(tab.locator(".destination h2")).to_have_text([f"New {word}"])
    expect(tab.locator("#stale")).to_be_hidden()


def pass_a_minute_without_response(tab: Page) -> None:
    with tab.expect_request(lambda request: request.headers.get("hx-source") == "div#page"):
        tab.clock.fast_forward(MINUTE)


def test_a_press_without_a_response_is_reported_until_the_page_shows_what_became_of_it(add_webhook: AddWebhook) -> None:
    tab = watch(add_webhook("works"))
    tab.context.set_offline(True)
    pass_a_minute_without_response(tab)
    expect(tab.locator("#stale")).to_contain_text("as soon as the server responds.")
    button(tab).click()
    expect(tab.locator("#stale")).to_contain_text(
        re.compile("^The server is not responding. This page shows .* Your request may not have completed.$")
    )
    tab.context.set_offline(False)
    pass_a_minute(tab)
    expect(tab.locator("#stale")).to_be_hidden()
    expect_badge(tab, "never")


def test_a_poll_leaves_the_report_of_a_press_without_a_response(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    button(tab).click()
    expect_badge(tab, "pending")
    tab.route("**/links", disconnect)
    tab.get_by_text("Link for the customer", exact=True).click()
    tab.get_by_role("button", name="Make a link").click()
    expect(tab.locator("#stale")).to_contain_text("Your request may not have completed.")
    expect(tab.locator("#stale")).to_have_text("Your request may not have completed.")


ERROR_PAGE = '<!doctype html><section id="error"><h1>Busy</h1><p>Your link may not have been made.</p></section>'


def test_polls_and_other_presses_leave_what_an_error_page_says_about_a_press(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    tab.route("**/links", lambda route: route.fulfill(status=503, content_type="text/html", body=ERROR_PAGE))
    tab.get_by_text("Link for the customer", exact=True).click()
    make = tab.get_by_role("button", name="Make a link")
    make.click()
    expect(tab.locator("#stale")).to_have_text("Your link may not have been made.")
    with tab.expect_response("**/status"):
        button(tab).click()
    expect_badge(tab, "pending")
    expect(tab.locator("#stale")).to_have_text("Your link may not have been made.")
    tab.unroute("**/links")
    make.click()
    expect(tab.locator("#stale")).to_be_hidden()


def test_a_failed_poll_says_why_and_gives_no_advice_about_a_press(add_webhook: AddWebhook) -> None:
    tab = add_webhook("silent")
    tab.route("**/status", lambda route: route.fulfill(status=503, content_type="text/html", body=ERROR_PAGE))
    button(tab).click()
    expect(tab.locator("#stale")).to_have_text("Busy. This page may be out of date.")


def test_the_reason_of_an_outage_is_shown_with_the_day_if_it_was_not_today(admin: Page) -> None:
    tab = watch(admin, LIST)
    error = '<section id="error"><h1>The database is busy</h1><p>Your request may not have completed.</p></section>'
    tab.route(f"**{LIST}", lambda route: route.fulfill(status=503, content_type="text/html", body=error))
    tab.set_viewport_size({"width": 360, "height": 500})
    tab.evaluate("scrollTo({ top: 600, behavior: 'instant' })")
    tab.clock.fast_forward("24:00:00")
    expect(tab.locator("#stale")).to_be_in_viewport()
    expect(tab.locator("#stale")).to_contain_text(
        re.compile(r"^The database is busy\. This page shows the state as of \d+ \w{3}, \d\d:\d\d\.")
    )


def test_a_failing_server_is_asked_less_and_less_often(admin: Page) -> None:
    tab = watch(admin, LIST)
    tab.route(f"**{LIST}", disconnect)
    refreshes = note_refreshes(tab)
    pass_a_minute_without_response(tab)
    expect(tab.locator("#stale")).to_be_visible()
    tab.clock.run_for(600_000)
    assert 6 <= len(refreshes) <= 40  # without growing intervals, 60 or more; a busy browser notes a failure late


def test_pages_that_failed_together_do_not_ask_together(admin: Page) -> None:
    tab = watch(admin, LIST)
    tab.route(f"**{LIST}", disconnect)
    waits = []
    for chance in (0, 0.999):
        tab.evaluate("chance => { Math.random = () => chance }", chance)
        with tab.expect_event("requestfailed"):
            tab.clock.fast_forward("05:00")
        refreshes = note_refreshes(tab)
        tab.clock.run_for(4_000)
        tab.wait_for_timeout(MOMENT)
        waits.append(len(refreshes))
    soonest, latest = waits
    assert soonest > 0
    assert latest == 0


def test_an_expired_session_leads_to_the_sign_in_page(admin: Page) -> None:
    tab = watch(admin, f"{LIST}?q=no+such+name")  # a Pending badge's poll would set the cookie again
    tab.context.clear_cookies()
    tab.clock.fast_forward(MINUTE)
    expect(tab).to_have_url(re.compile("/sign-in"))


def test_a_destination_that_someone_deleted_leads_to_the_page_that_says_so(
    add_webhook: AddWebhook, demo: RunningDemo
) -> None:
    tab = watch(add_webhook("works"))
    send(tab.context, f"{tab.url}/delete")
    tab.clock.fast_forward(MINUTE)
    expect(tab.get_by_role("heading", name="Page not found")).to_be_visible()


def test_a_page_that_names_its_version_is_left_as_it_is_if_it_is_current(admin: Page) -> None:
    tab = watch(admin, LIST)
    tab.evaluate("page.dataset.version = '0123'")
    tab.evaluate(ADD_UNKNOWN_PART)
    tab.route(f"**{LIST}", lambda route: route.fulfill(status=304))
    with tab.expect_request(f"**{LIST}") as asked:
        tab.clock.fast_forward(MINUTE)
    expect(tab.locator("#page.htmx-request")).to_have_count(0)
    assert asked.value.headers["if-none-match"] == 'W/"0123"'
    expect(tab.locator("#unknown")).to_have_count(1)
    expect(tab.locator("#stale")).to_be_hidden()


def test_a_page_of_an_older_version_is_replaced(admin: Page) -> None:
    tab = watch(admin, LIST)
    tab.evaluate("page.dataset.version = '0123'")
    tab.evaluate(ADD_UNKNOWN_PART)
    pass_a_minute(tab)
    expect(tab.locator("#unknown")).to_have_count(0)


def test_a_page_that_changed_by_itself_names_no_version(add_webhook: AddWebhook) -> None:
    tab = add_webhook("works")
    tab.evaluate("page.dataset.version = '0123'")
    button(tab).click()
    expect_badge(tab, "sent")
    expect(tab.locator("#page[data-version]")).to_have_count(0)


def test_the_refresh_leaves_a_pending_badge_to_its_own_polls(add_webhook: AddWebhook) -> None:
    tab = watch(add_webhook("silent"))
    button(tab).click()
    expect_badge(tab, "pending")
    tab.route("**/status", lambda route: None)  # never answered
    status = tab.locator(".status.htmx-request")
    status.evaluate("status => { status.setAttribute('hx-trigger', 'every 3600s'); htmx.process(status, true); }")
    pass_a_minute(tab)
    expect(tab.locator("#page.htmx-request")).to_have_count(0)
    expect(tab.locator(".status")).to_have_attribute("hx-trigger", "every 3600s")


def test_a_filter_that_was_changed_while_the_page_asked_is_not_undone(admin: Page, demo: RunningDemo) -> None:
    word = os.urandom(4).hex()
    add_named(admin.context, demo, f"first {word}")
    add_named(admin.context, demo, f"second {word}")
    tab = watch(admin, f"{LIST}?q={word}")
    held: list[Route] = []
    tab.route(re.compile(rf"q={word}$"), lambda route: held.append(route))
    pass_a_minute_without_response(tab)
    tab.get_by_label("Name contains").fill(f"second {word}")
    tab.clock.run_for(300)
    expect(tab.locator(".destination h2")).to_have_text([f"second {word}"])
    with tab.expect_response(re.compile(rf"q={word}$")):
        held[0].continue_()
    tab.wait_for_timeout(300)
    expect(tab.locator(".destination h2")).to_have_text([f"second {word}"])
    expect(tab).to_have_url(re.compile(r"q=second"))


def test_a_refused_press_keeps_its_reason_long_enough_to_be_read(
    add_webhook: AddWebhook, press_as_colleague: Press
) -> None:
    tab = add_webhook("works")
    press_as_colleague(tab)
    button(tab).click()
    expect(tab.get_by_role("alert")).to_be_visible()
    tab.wait_for_timeout(1000)
    with tab.expect_response(lambda response: response.request.headers.get("hx-source") == "div#page"):
        tab.evaluate(RETURN_FROM_CACHE)
    tab.wait_for_timeout(300)
    expect(tab.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("path", ["/broken", "/w/harbor/history", "/w/harbor/audit", "/w/harbor/members"])
def test_every_list_is_refreshed(admin: Page, path: str) -> None:
    tab = watch(admin, path)
    pass_a_minute(tab)
    expect(tab.locator("#stale")).to_be_hidden()


def test_a_form_is_never_refreshed(admin: Page) -> None:
    tab = watch(admin, f"{LIST}/new/webhook")
    refreshes = note_refreshes(tab)
    tab.get_by_label("Name").fill("Half a name")
    tab.clock.fast_forward("10:00")
    tab.evaluate(RETURN_FROM_CACHE)
    tab.wait_for_timeout(MOMENT)
    assert refreshes == []
    expect(tab.get_by_label("Name")).to_have_value("Half a name")
