"""The presenter's panel in a real browser. Each test begins with a reset, which replaces all data."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.browser.conftest import TIMEOUT, Sessions, reset, reset_with
from tests.browser.running_demo import RunningDemo
from tests.browser.test_journey import button, expect_badge, press_tab_until_focused

# Milliseconds that are long enough for a request that should not be sent.
MOMENT = 1000


@pytest.fixture
def presenter(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> Iterator[Page]:
    """The panel, in the presenter's tab, with everything as it was at the beginning."""
    reset_with(chromium, demo, sessions)
    access = ["clipboard-read", "clipboard-write"]
    with chromium.new_context(base_url=demo.address, storage_state=sessions["admin"], permissions=access) as context:
        context.set_default_timeout(TIMEOUT)
        tab = context.new_page()
        tab.goto("/demo/panel")
        yield tab


def choice(tab: Page, name: str) -> Locator:
    return tab.get_by_label(name, exact=True)


def open_destination(tab: Page, name: str) -> None:
    tab.goto("/w/harbor/destinations")
    tab.get_by_role("link", name=name, exact=True).click()
    expect(tab.get_by_role("heading", name=name)).to_be_visible()


def test_a_switched_destination_fails_with_that_cause_and_works_when_it_is_switched_back(presenter: Page) -> None:
    choice(presenter, "Operations channel").select_option(label="404: not found")
    expect(presenter.get_by_text("Switched to: 404: not found")).to_be_visible()
    choice(presenter, "Incident room").select_option(label="Turned off at the service")
    expect(presenter.get_by_text("Switched to: Turned off")).to_be_visible()
    choice(presenter, "Incident room").select_option(label="Works (its address)")
    expect(presenter.get_by_text("Switched to: Turned off")).to_have_count(0)

    open_destination(presenter, "Operations channel")
    button(presenter).click()
    expect_badge(presenter, "failed")
    expect(presenter.locator(".verdict")).to_contain_text("teams.demo.example answered 404")

    open_destination(presenter, "Incident room")
    button(presenter).click()
    expect_badge(presenter, "sent")


def test_switches_in_quick_succession_apply_one_after_another(presenter: Page) -> None:
    held: list[Route] = []
    presenter.route("**/demo/panel/**", lambda route: held.append(route), times=1)
    posts: list[Request] = []
    presenter.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    with presenter.expect_request("**/demo/panel/w/harbor/destinations/*"):
        choice(presenter, "Incident room").select_option(label="Turned off at the service")
    choice(presenter, "Operations channel").select_option(label="404: not found")
    choice(presenter, "Incident room").select_option(label="Works (its address)")
    presenter.wait_for_timeout(MOMENT)
    assert len(posts) == 1  # two under way could overtake each other

    held[0].continue_()
    expect(presenter.get_by_text("Switched to: 404: not found")).to_be_visible()
    expect(presenter.get_by_text("Switched to: Turned off")).to_have_count(0)
    expect(choice(presenter, "Incident room")).to_have_value("")
    assert len(posts) == 3
    presenter.reload()
    expect(presenter.get_by_text("Switched to: 404: not found")).to_be_visible()
    expect(presenter.get_by_text("Switched to: Turned off")).to_have_count(0)


def test_a_copied_address_makes_a_destination_that_fails_until_it_is_switched(presenter: Page) -> None:
    presenter.locator("#slack").select_option(label="Sign-in page (302)")
    expect(presenter.locator("#address-slack")).to_have_value(re.compile("^https://slack.demo.example/slack/sign-in"))
    presenter.get_by_role("button", name="Copy for Slack").click()
    expect(presenter.get_by_text("Copied.")).to_be_visible()

    presenter.goto("/w/harbor/destinations/new/slack")
    presenter.get_by_label("Name").fill("A new room")
    presenter.locator("#address").focus()
    presenter.keyboard.press("ControlOrMeta+v")
    presenter.get_by_role("button", name="Add destination").click()
    button(presenter).click()
    expect_badge(presenter, "failed")
    expect(presenter.locator(".verdict")).to_contain_text("slack.demo.example answered 302")

    presenter.goto("/demo/panel")
    choice(presenter, "A new room").select_option(label="Works")
    expect(presenter.get_by_text("Switched to: Works")).to_be_visible()


def test_an_expired_certificate_is_refused_by_the_product_itself(presenter: Page) -> None:
    presenter.get_by_text("Certificates", exact=True).click()
    choice(presenter, "hooks.demo.example").select_option(label="Wrong certificate: expired")
    expect(presenter.get_by_text("Switched to: Wrong certificate: expired")).to_be_visible()

    open_destination(presenter, "Ticket system")
    button(presenter).click()
    expect_badge(presenter, "failed")
    expect(presenter.locator(".verdict")).to_contain_text(re.compile("certificate.*expired"))


def test_the_inbox_shows_one_destination_and_leads_to_it(presenter: Page) -> None:
    for name in ("Ticket system", "Incident room"):
        open_destination(presenter, name)
        button(presenter).click()
        expect_badge(presenter, "sent")
    presenter.goto("/demo/inbox")
    expect(presenter.locator(".inbox-message")).to_have_count(2)

    presenter.get_by_label("Messages for").select_option(label="Ticket system")
    expect(presenter.locator(".inbox-message")).to_have_count(1)
    presenter.locator(".inbox-message").get_by_role("link", name="Ticket system").click()
    expect(presenter.get_by_role("heading", name="Ticket system")).to_be_visible()


def test_a_reset_during_a_test_leaves_nothing_pending(presenter: Page) -> None:
    open_destination(presenter, "Yard gateway")
    button(presenter).click()
    expect_badge(presenter, "pending")

    reset(presenter)

    presenter.goto("/w/harbor/destinations")
    expect(presenter.locator("[data-last-test=pending]")).to_have_count(0)
    expect(presenter.locator(".destination")).to_have_count(12)
    presenter.goto("/demo/inbox")
    expect(presenter.get_by_text("Nothing has arrived yet")).to_be_visible()


def test_the_keyboard_alone_switches_and_stays_where_it_is(presenter: Page) -> None:
    select = choice(presenter, "Operations channel")
    press_tab_until_focused(presenter, select)
    presenter.keyboard.press("ArrowDown")
    expect(presenter.get_by_text("Switched to: 404: not found")).to_be_visible()
    expect(select).to_be_focused()


def test_without_javascript_everything_works_with_buttons(
    chromium: Browser, demo: RunningDemo, sessions: Sessions
) -> None:
    with chromium.new_context(
        base_url=demo.address, storage_state=sessions["admin"], java_script_enabled=False
    ) as context:
        tab = context.new_page()
        reset(tab)
        tab.goto("/demo/panel")
        choice(tab, "Ticket system").select_option(label="Silent: never answers")
        tab.locator("li", has=choice(tab, "Ticket system")).get_by_role("button", name="Switch").click()
        expect(tab.get_by_text("Switched to: Silent: never answers")).to_be_visible()
        tab.locator("#teams").select_option(label="404: not found")
        tab.get_by_role("button", name="Show the addresses").click()
        expect(tab.locator("#address-teams")).to_have_value(re.compile("/teams/missing"))
