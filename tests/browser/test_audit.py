"""The audit trail in Chromium: filtered without a new page, downloaded as it is filtered, and a list on a phone."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from werkzeug.serving import make_server

from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers
from tests.factories import SeededIds, get_account, get_destination
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE, Action, Result, describe_change, record_destination_event, record_instance_event
from webapp.extensions import db
from webapp.models import Account, database_clock

LONG_NAME = "W" * 150


@dataclass(frozen=True)
class Office:
    """Where an admin works. address: the origin of the pages. cookie: of the session."""

    address: str
    cookie: str


@pytest.fixture
def office(app: Flask, seeded: SeededIds) -> Iterator[Office]:
    """An installation whose admin is an instance admin too, with events of every kind."""
    with app.app_context():
        admin, destination, now = get_account(seeded), get_destination(seeded), database_clock.now()
        db.session.execute(update(Account).where(Account.id == admin.id).values(is_instance_admin=True))
        renamed = [describe_change("name", LONG_NAME, "Ticket system"), "address", "signing_secret"]
        record_destination_event(destination, admin, Action.CHANGED, now, renamed)
        record_destination_event(destination, admin, Action.PLAN_ENDED, now, ["disabled"], Result.REFUSED)
        record_instance_event(Action.KEYS_ROTATED, "3 destinations", now, COMMAND_LINE)
        db.session.commit()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.port}"
    cookie = Visitor.signed_in(app, seeded.admin, address).client.get_cookie("session", domain="127.0.0.1")
    assert cookie
    yield Office(address, cookie.value)
    server.shutdown()
    thread.join()


@pytest.fixture
def tab(chromium: Browser, office: Office, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The admin's tab, as wide as the test says."""
    size = {"width": getattr(request, "param", 1280), "height": 800}
    with chromium.new_context(base_url=office.address, viewport=size) as context:  # type: ignore[arg-type]
        context.add_cookies([{"name": "session", "value": office.cookie, "url": office.address}])
        yield context.new_page()


def test_an_admin_filters_the_trail_and_downloads_what_is_left(tab: Page) -> None:
    tab.goto("/w/harbor/audit")
    tab.get_by_label("Action").select_option("Changed")

    expect(tab.locator(".audit tbody tr")).to_have_count(1)
    expect(tab).to_have_url(re.compile("action=changed"))
    with tab.expect_download() as download:
        tab.get_by_role("link", name="CSV").click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 2
    tab.go_back()
    expect(tab.locator(".audit tbody tr")).to_have_count(4)


def test_an_instance_admin_looks_at_everything(tab: Page) -> None:
    tab.goto("/instance/audit")
    expect(tab.locator(".audit tbody tr")).to_have_count(1)

    tab.get_by_label("Where").select_option("All workspaces too")

    expect(tab.get_by_role("columnheader", name="Workspace")).to_be_visible()
    expect(tab.locator(".audit tbody")).to_contain_text("Mill Street Clinic")
    assert find_barriers(tab) == []


@pytest.mark.parametrize("tab", [360], indirect=True)
@pytest.mark.parametrize("path", ["/w/harbor/audit", "/instance/audit?of=all"])
def test_on_a_phone_the_trail_is_a_list_that_nobody_moves_sideways(tab: Page, path: str) -> None:
    tab.goto(path)

    assert tab.locator(".audit tbody tr").first.evaluate("row => getComputedStyle(row).display") == "block"
    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
    region = tab.get_by_role("region", name="Events")
    assert region.evaluate("region => region.scrollWidth - region.clientWidth") == 0
    assert find_barriers(tab) == []
