"""Time zones in real browsers: stored at the first visit, changed on the page, each reader's own, also a customer's."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import AddWebhook, OpenTab, Sessions
from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers
from tests.browser.running_demo import RunningDemo
from tests.browser.test_customer_link import make_link
from tests.browser.test_journey import IMPATIENT, button, expect_badge, press_that_ends

HISTORY = "/w/harbor/history"
REPORT = "**/account/browser-time-zone"
PHONE = {"width": 360, "height": 740}

READ_TIMES = "times => times.map(time => [time.dateTime, time.querySelector('[data-local]').innerText])"

SetZone = Callable[[str | None], None]


@pytest.fixture
def set_zone(demo: RunningDemo) -> Iterator[SetZone]:
    """Store a time zone of all accounts of the demo, or none. Afterwards it is that of the other tests' browsers."""

    def store(name: str | None) -> None:
        with closing(sqlite3.connect(demo.data / "alertcheck.sqlite", timeout=60)) as database, database:
            database.execute("UPDATE accounts SET time_zone = ?", (name,))

    yield store
    store("UTC")


def open_form(tab: Page) -> None:
    """Open the page on which a time zone is chosen."""
    tab.goto(HISTORY)
    tab.locator(".zone-note a").click()
    expect(tab.get_by_role("heading", name="Time zone")).to_be_visible()


def list_shown(times: Locator) -> list[tuple[str, str]]:
    """Return each time as UTC in ISO 8601, and as it is shown, without how long ago it was.

    All are read at once: a refresh may replace them meanwhile, and one request to the browser is cheaper than many.
    """
    return [(moment, text) for moment, text in times.evaluate_all(READ_TIMES)]


def shown(time: Locator) -> tuple[str, str]:
    """Return the only time that is shown, or the first of a list."""
    expect(time.first).to_be_visible()
    return list_shown(time)[0]


def expect_times_in(tab: Page, name: str) -> None:
    """Check that each time of the list is that of the zone, whether the server or the browser wrote it."""
    expect(tab.locator("[data-zone]")).to_have_text(re.compile(f"^{name.replace('_', ' ')}, UTC"))
    times = list_shown(tab.locator("td time"))
    assert len(times) > 5
    for moment, text in times:
        local = datetime.fromisoformat(moment).astimezone(ZoneInfo(name))
        assert text.split(" UTC")[0] in (f"{local:%Y-%m-%d %H:%M:%S}", f"{local:%H:%M:%S}")


def test_the_first_visit_shows_the_browsers_zone_and_stores_it_once(
    open_tab: OpenTab, sessions: Sessions, set_zone: SetZone
) -> None:
    set_zone(None)
    tab = open_tab(storage_state=sessions["viewer"], timezone_id="Asia/Tokyo")
    with tab.expect_response(REPORT) as stored:
        tab.goto(HISTORY)
    assert stored.value.status == 204
    expect_times_in(tab, "Asia/Tokyo")
    reports: list[str] = []
    tab.route(REPORT, lambda route: reports.append(route.request.url))
    tab.reload()
    expect(tab.locator("[data-time-zone]")).to_have_attribute("data-time-zone", "Asia/Tokyo")
    expect_times_in(tab, "Asia/Tokyo")
    assert reports == []


def test_the_browsers_times_are_those_of_the_server(open_tab: OpenTab, sessions: Sessions, set_zone: SetZone) -> None:
    texts = []
    for stored in ("Mars/Olympus_Mons", "America/St_Johns"):
        set_zone(stored)
        tab = open_tab(storage_state=sessions["viewer"], timezone_id="America/St_Johns")
        tab.goto(HISTORY)
        expect_times_in(tab, "America/St_Johns")
        texts.append(list_shown(tab.locator("td time")))
        tab.context.close()
    assert texts[0] == texts[1]


def test_two_readers_in_different_zones_see_the_same_rows_at_their_own_times(
    open_tab: OpenTab, sessions: Sessions, set_zone: SetZone
) -> None:
    set_zone(None)
    for role, zone in (("admin", "Pacific/Kiritimati"), ("viewer", "America/New_York")):
        tab = open_tab(storage_state=sessions[role], timezone_id=zone)
        with tab.expect_response(REPORT):
            tab.goto(HISTORY)
        tab.reload()
        expect_times_in(tab, zone)


def test_a_refresh_keeps_the_browsers_times(open_tab: OpenTab, sessions: Sessions, set_zone: SetZone) -> None:
    set_zone("Mars/Olympus_Mons")
    tab = open_tab(storage_state=sessions["viewer"], timezone_id="Asia/Tokyo")
    tab.goto(HISTORY)
    expect_times_in(tab, "Asia/Tokyo")
    with tab.expect_response(lambda response: "status=failed" in response.url):
        tab.locator("select[name=status]").select_option("failed")
    expect(tab).to_have_url(re.compile("status=failed"))
    expect(tab.locator("td [data-mark=sent]")).to_have_count(0)
    moment, text = shown(tab.locator("td time"))
    assert f"{datetime.fromisoformat(moment).astimezone(ZoneInfo('Asia/Tokyo')):%H:%M:%S}" in text


def test_another_browsers_zone_is_offered_and_taken(open_tab: OpenTab, sessions: Sessions, set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    tab = open_tab(storage_state=sessions["admin"], timezone_id="Asia/Tokyo")
    open_form(tab)
    expect(tab.get_by_text("Your browser's time zone is Asia/Tokyo.")).to_be_visible()
    assert (find_barriers(tab), tab.evaluate(MEASURE_OVERFLOW_SCRIPT)) == ([], 0)
    tab.get_by_role("button", name="Use my browser's time zone").click()
    expect(tab.get_by_text("Times are now shown in your new time zone.")).to_be_visible()
    expect(tab.get_by_role("button", name="Use my browser's time zone")).to_be_hidden()
    tab.goto(HISTORY)
    expect_times_in(tab, "Asia/Tokyo")


def test_an_older_name_of_the_same_zone_is_not_offered(
    open_tab: OpenTab, sessions: Sessions, set_zone: SetZone
) -> None:
    set_zone("Asia/Kolkata")
    tab = open_tab(storage_state=sessions["admin"], timezone_id="Asia/Calcutta")
    open_form(tab)
    expect(tab.get_by_label("Find a time zone")).to_be_visible()
    expect(tab.get_by_role("button", name="Use my browser's time zone")).to_be_hidden()


def test_a_zone_is_found_by_its_city_with_the_keyboard(
    open_tab: OpenTab, sessions: Sessions, set_zone: SetZone
) -> None:
    set_zone("Europe/Berlin")
    tab = open_tab(storage_state=sessions["admin"], viewport=PHONE)
    open_form(tab)
    assert (find_barriers(tab), tab.evaluate(MEASURE_OVERFLOW_SCRIPT)) == ([], 0)
    box, choice = tab.get_by_label("Find a time zone"), tab.get_by_label("Your time zone")
    box.fill("no such city")
    expect(tab.get_by_text("No time zone has this name.")).to_be_visible()
    expect(choice).to_have_value("Europe/Berlin")
    box.fill("buenos a")
    expect(choice).to_have_value("America/Argentina/Buenos_Aires")
    box.fill("")
    expect(choice).to_have_value("Europe/Berlin")
    box.fill("kathm")
    box.press("Enter")
    expect(tab.get_by_text("Times are now shown in your new time zone.")).to_be_visible()
    expect(choice).to_have_value("Asia/Kathmandu")


def test_a_zone_is_chosen_without_javascript(open_tab: OpenTab, sessions: Sessions, set_zone: SetZone) -> None:
    set_zone("Europe/Berlin")
    tab = open_tab(storage_state=sessions["admin"], java_script_enabled=False)
    open_form(tab)
    expect(tab.get_by_label("Find a time zone")).to_be_hidden()
    tab.get_by_label("Your time zone").select_option("Kathmandu")
    tab.get_by_role("button", name="Save the time zone").click()
    tab.goto(HISTORY)
    expect_times_in(tab, "Asia/Kathmandu")


def test_a_customer_sees_the_end_of_the_link_in_their_own_zone(add_webhook: AddWebhook, open_tab: OpenTab) -> None:
    link = make_link(add_webhook("works"))
    customer = open_tab(timezone_id="Asia/Kathmandu", viewport=PHONE)
    customer.goto(link)
    end = customer.locator("time:has([data-local])")
    moment, text = shown(end)
    assert (
        text == f"{datetime.fromisoformat(moment).astimezone(ZoneInfo('Asia/Kathmandu')):%Y-%m-%d %H:%M:%S} UTC+05:45"
    )
    assert customer.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0


def test_a_planned_test_waits_in_the_readers_zone(add_webhook: AddWebhook, set_zone: SetZone) -> None:
    set_zone("Asia/Kathmandu")
    tab = add_webhook("works")
    with press_that_ends(tab):
        button(tab).click()
    expect_badge(tab, "sent")
    tab.wait_for_timeout(IMPATIENT)
    button(tab).click()
    moment, text = shown(tab.locator(".planned time"))
    assert text == f"{datetime.fromisoformat(moment).astimezone(ZoneInfo('Asia/Kathmandu')):%H:%M:%S} UTC+05:45"
    tab.get_by_role("button", name="Cancel the planned test").click()
    expect(tab.get_by_text("canceled the planned test")).to_be_visible()


def test_a_page_without_a_server_says_since_when_in_the_readers_zone(
    open_tab: OpenTab, sessions: Sessions, set_zone: SetZone
) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    set_zone("Asia/Kathmandu")
    tab = open_tab(storage_state=sessions["viewer"], timezone_id="America/New_York")
    tab.clock.install()
    tab.goto(HISTORY)
    now = datetime.fromisoformat(tab.locator("#page").get_attribute("data-now") or "")
    tab.route("**/history", refuse)
    tab.clock.run_for(70_000)
    local = now.astimezone(ZoneInfo("Asia/Kathmandu"))
    expect(tab.locator("#stale")).to_contain_text(f"This page shows the state as of {local:%H:%M}.")
