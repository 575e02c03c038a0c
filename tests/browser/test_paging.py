"""A test that pages people, in a real browser: the question before it, by keyboard, on a phone and without scripts."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, expect
from sqlalchemy import func, select

from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers
from tests.browser.served_app import add_session, serve
from tests.browser.test_journey import IMPATIENT
from tests.factories import NOW, SeededIds, get_account, get_workspace
from webapp.channels.pagerduty import SERVER
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.settings import AppSettings

LIST = "/w/harbor/destinations"
PHONE = {"viewport": {"width": 360, "height": 700}}

OpenAs = Callable[..., Page]


@pytest.fixture
def pager(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> str:
    """The path of a destination that pages people."""
    settings = {"routing_key": "0123456789abcdefghijklmnopqrstuv", "server": SERVER}
    with app.app_context():
        people = get_workspace(seeded), get_account(seeded)
        return f"{LIST}/{add_destination(*people, 'pagerduty', 'N' * 120, settings, app_settings.cipher, NOW).id}"


@pytest.fixture
def open_as(app: Flask, chromium: Browser) -> Iterator[OpenAs]:
    """Open a tab in which an account is signed in. options: those of Playwright's `new_context`."""
    contexts: list[BrowserContext] = []
    with serve(app) as address:

        def open_tab(account_id: int, path: str, **options: object) -> Page:
            context = chromium.new_context(base_url=address, reduced_motion="reduce", **options)  # type: ignore[arg-type]
            contexts.append(context)
            add_session(context, app, account_id, address)
            tab = context.new_page()
            tab.goto(path)
            return tab

        yield open_tab
        for context in contexts:
            context.close()


def _count_sent(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDelivery)) or 0


def _question(tab: Page) -> Locator:
    return tab.locator("details.paging")


def _measure(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box
    return box


def test_a_double_click_opens_the_question_and_pages_nobody(
    app: Flask, pager: str, seeded: SeededIds, open_as: OpenAs
) -> None:
    tab = open_as(seeded.support, pager)

    _question(tab).locator("summary").dblclick()

    expect(tab.get_by_role("button", name="Page them now")).to_be_visible()
    assert _count_sent(app) == 0


@pytest.mark.parametrize("path", [LIST, None], ids=["list", "page"])
def test_by_keyboard_it_asks_is_canceled_and_then_pages_once(
    path: str | None, app: Flask, pager: str, seeded: SeededIds, open_as: OpenAs
) -> None:
    tab = open_as(seeded.support, path or pager, **PHONE)
    opener = _question(tab).locator("summary")
    opener.focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("This pages whoever is on call at PagerDuty.")).to_be_visible()
    tab.get_by_role("button", name="Page them now").focus()
    assert find_barriers(tab) == []
    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("button", name="Page them now")).to_be_hidden()
    expect(opener).to_be_focused()
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="Cancel").press("Enter")
    expect(opener).to_be_focused()
    assert (_count_sent(app), tab.url.endswith(path or pager)) == (0, True)

    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Page them now").press("Enter")

    expect(opener).to_have_text(re.compile(r"Test again in \d+ s"))
    expect(opener).to_be_focused()
    expect(tab.get_by_role("button", name=re.compile("Page them"))).to_be_hidden()
    assert _count_sent(app) == 1


def test_a_plan_takes_the_place_of_the_question_and_the_focus(pager: str, seeded: SeededIds, open_as: OpenAs) -> None:
    tab = open_as(seeded.support, pager)
    _question(tab).locator("summary").click()
    tab.get_by_role("button", name="Page them now").click()
    expect(_question(tab).locator("summary")).to_contain_text("Test again in")
    tab.wait_for_timeout(IMPATIENT)
    _question(tab).locator("summary").click()
    tab.get_by_role("button", name=re.compile(r"Page them in \d+ s")).click()

    expect(_question(tab)).to_have_count(0)
    expect(tab.locator(".send")).to_contain_text("Sends in")
    expect(tab.locator(".send")).to_be_focused()


def test_it_works_without_scripts(app: Flask, pager: str, seeded: SeededIds, open_as: OpenAs) -> None:
    tab = open_as(seeded.support, LIST, java_script_enabled=False, **PHONE)
    _question(tab).locator("summary").click()
    tab.get_by_role("link", name="Cancel").click()
    expect(tab).to_have_url(re.compile(f"{pager}$"))
    expect(tab.get_by_role("button", name="Page them now")).to_be_hidden()
    assert _count_sent(app) == 0

    _question(tab).locator("summary").click()
    tab.get_by_role("button", name="Page them now").click()

    expect(_question(tab).locator("summary")).to_contain_text("Test again in")
    assert _count_sent(app) == 1


def test_test_all_leaves_it_out_unless_its_box_is_ticked(
    app: Flask, pager: str, seeded: SeededIds, open_as: OpenAs
) -> None:
    tab = open_as(seeded.support, LIST, **PHONE)
    tab.on("dialog", lambda dialog: dialog.accept())
    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
    tab.get_by_role("button", name="Test all").click()
    expect(tab.locator("#batch")).to_contain_text("1 destination was left out because it pages people.")
    assert _count_sent(app) == 1

    tab.get_by_label("Also the one that pages people").check()
    tab.get_by_role("button", name="Test all").click()

    expect(tab.locator("#batch")).to_contain_text("1 destination was left out because it was tested less than")
    assert _count_sent(app) == 2


@pytest.mark.parametrize("options", [PHONE, {"viewport": {"width": 1280, "height": 900}}], ids=["phone", "desk"])
def test_the_question_moves_no_button_and_leaves_no_gap(
    options: dict[str, object], pager: str, seeded: SeededIds, open_as: OpenAs
) -> None:
    tab = open_as(seeded.support, LIST, **options)
    opener = _question(tab).locator("summary")
    before = _measure(opener)["x"]
    opener.click()
    question, last = _measure(_question(tab)), _measure(tab.get_by_role("button", name="Page them now"))

    assert _measure(opener)["x"] == pytest.approx(before, abs=1)
    assert question["y"] + question["height"] - last["y"] - last["height"] < 10
