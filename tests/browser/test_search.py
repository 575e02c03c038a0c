"""The search with the keyboard: from any page to a test by its reference, or to a customer among 60 workspaces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from tests.browser.page_checks import find_faults
from tests.browser.served_app import add_session, serve
from tests.factories import SeededIds, add_delivery, get_account
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, DeliveryStatus, Role, database_clock
from webapp.settings import AppSettings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

LONG_NAME = "W" * 200
ADDRESS = "https://hooks.customer.example/services/canary"
LIST = "/w/harbor/destinations"


@dataclass(frozen=True)
class Office:
    """Where support works. address: the origin of the pages."""

    app: Flask
    address: str
    support_id: int


@pytest.fixture
def office(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> Iterator[Office]:
    """An installation with 60 workspaces, all of them support's. One has a broken destination."""
    with app.app_context():
        support, admin, now = db.session.get_one(Account, seeded.support), get_account(seeded), database_clock.now()
        for number in range(1, 60):
            workspace = add_workspace(f"customer-{number}", f"Customer {number}", now)
            set_role(workspace, support, Role.SUPPORT)
            if number == 41:
                settings = {"address": ADDRESS, "signing_secret": ""}
                name = f"Pager {LONG_NAME[:190]}"
                pager = add_destination(workspace, admin, "webhook", name, settings, app_settings.cipher, now)
        _fail(pager)
    with serve(app) as address:
        yield Office(app, address, seeded.support)


def _fail(destination: AlertDestination) -> None:
    requested_at = database_clock.now() - timedelta(hours=1)
    add_delivery(
        destination,
        status=DeliveryStatus.FAILED,
        last_error_code="not_found",
        last_error_message="It answered 404.",
        payload={"reference": "K7QM4T"},
        created_at=requested_at,
    )


@pytest.fixture
def tab(chromium: Browser, office: Office) -> Iterator[Page]:
    """A tab in which support is signed in. The page must not report an error."""
    errors: list[str] = []
    context = chromium.new_context(base_url=office.address, reduced_motion="reduce")
    add_session(context, office.app, office.support_id, office.address)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(LIST)
    yield page
    context.close()
    assert errors == []


def search_for(tab: Page, text: str) -> None:
    tab.keyboard.press("/")
    expect(tab.get_by_role("searchbox", name="Search all workspaces")).to_be_focused()
    tab.keyboard.type(text)
    tab.keyboard.press("Enter")


def test_a_reference_leads_from_any_page_to_its_test(tab: Page) -> None:
    search_for(tab, "k7q m4t")

    expect(tab.get_by_role("heading", name="Test K7QM4T")).to_be_visible()
    assert tab.url.endswith("/r/K7QM4T")
    expect(tab.locator("#test")).to_contain_text("It answered 404.")
    assert find_faults(tab) == []


def test_a_customer_is_found_by_the_address_of_a_webhook_with_the_keyboard_alone(tab: Page) -> None:
    search_for(tab, ADDRESS)
    expect(tab.get_by_role("status").filter(has_text="Found 1 destination.")).to_be_visible()
    assert tab.url.endswith("/search")
    expect(tab.locator("[data-last-test=failed]")).to_be_visible()
    expect(tab.get_by_role("searchbox")).to_have_value("")
    assert "canary" not in tab.content() + tab.evaluate("JSON.stringify([history.state, {...localStorage}])")
    assert find_faults(tab) == []

    tab.keyboard.press("Tab")  # the workspace
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")

    expect(tab.get_by_role("heading", name="Pager")).to_be_visible()
    tab.go_back()
    expect(tab.get_by_role("heading", name="Search")).to_be_visible()  # no question whether to send the form again


def test_escape_leads_back_and_a_slash_stays_a_slash_where_one_types(tab: Page) -> None:
    link = tab.get_by_role("link", name="Ticket system")
    link.focus()
    tab.keyboard.press("/")
    tab.keyboard.type("a/b")
    expect(tab.get_by_role("searchbox", name="Search all workspaces")).to_have_value("a/b")
    tab.keyboard.press("Escape")

    expect(link).to_be_focused()
    expect(tab.get_by_role("searchbox", name="Search all workspaces")).to_have_value("")

    name = tab.get_by_role("searchbox", name="Name contains")
    name.focus()
    tab.keyboard.type("/")
    expect(name).to_have_value("/")


def test_the_switcher_filters_as_one_types_and_is_used_with_the_keyboard_alone(tab: Page) -> None:
    summary = tab.locator(".switcher summary")
    summary.focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("searchbox", name="Filter workspaces")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(tab.locator(".switcher")).not_to_have_attribute("open", "")

    tab.keyboard.press("Enter")
    expect(tab.get_by_role("searchbox", name="Filter workspaces")).to_be_focused()
    tab.keyboard.type("no such workspace")
    expect(tab.locator(".switcher li:visible a")).to_have_count(0)
    tab.keyboard.press("Escape")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("searchbox", name="Filter workspaces")).to_have_value("")
    tab.keyboard.type("mer 4")
    expect(tab.locator(".switcher li:visible a")).to_have_count(15)  # 4, 14 and so on, and 40 to 49
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown"):
        tab.keyboard.press(key)
    expect(tab.get_by_role("link", name="Customer 24")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Customer 24")).to_be_visible()


def test_one_press_tests_what_failed_and_its_row_stays(tab: Page) -> None:
    tab.goto("/broken")
    assert find_faults(tab) == []
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Test the failed").click()

    expect(tab.get_by_text("1 test was sent.")).to_be_focused()
    expect(tab.locator("[data-last-test=pending]")).to_be_visible()
    expect(tab.get_by_role("link", name="Pager")).to_be_visible()


def test_the_headline_follows_the_tests_of_its_rows(tab: Page, app: Flask) -> None:
    headline = tab.locator("#broken-head p")
    tab.goto("/broken")
    expect(headline).to_contain_text("1 destination in your 60 workspaces failed")
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Test the failed").click()
    expect(headline).to_contain_text("No destinations in your 60 workspaces failed")

    with app.app_context():
        failed = {
            "status": DeliveryStatus.FAILED,
            "last_error_code": "not_found",
            "last_error_message": "It answered 404.",
        }
        db.session.execute(update(AlertDelivery).where(AlertDelivery.status == DeliveryStatus.QUEUED).values(failed))
        db.session.commit()

    expect(headline).to_contain_text("1 destination in your 60 workspaces failed")
    expect(tab.get_by_text("1 test was sent.")).to_be_visible()


def test_the_page_of_all_workspaces_is_accessible_and_leads_to_the_broken_ones(tab: Page) -> None:
    tab.goto("/workspaces")
    assert find_faults(tab) == []
    tab.get_by_role("link", name="1 failed in").click()

    expect(tab.get_by_role("heading", name="Customer 41")).to_be_visible()
    expect(tab.locator("[data-last-test=failed]")).to_be_visible()
