"""The page of drills in a real browser: by keyboard, without scripts, on a phone and in the dark."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, SET_DETAILS_SCRIPT, find_barriers
from tests.browser.served_app import add_session, serve
from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace
from webapp.app_state import app_state
from webapp.deliveries.transitions import EXPIRE, apply_transition, error_columns
from webapp.destinations.editing import add_destination
from webapp.drills.editing import DrillTimes, save_schedule
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDelivery, AlertDestination, DrillChoice, DrillInterval, database_clock
from webapp.settings import AppSettings

PAGE = "/w/harbor/drills"
PHONE = {"viewport": {"width": 360, "height": 700}}
TIMES = DrillTimes(DrillInterval.WEEKLY, "12345", 10, 16, "Europe/Berlin")
PAGER = {"routing_key": "0123456789abcdefghijklmnopqrstuv", "server": "https://events.pagerduty.com"}

OpenAs = Callable[..., Page]


@pytest.fixture
def open_as(app: Flask, seeded: SeededIds, app_settings: AppSettings, chromium: Browser) -> Iterator[OpenAs]:
    """Open the page in a tab in which an account is signed in. options: those of Playwright's `new_context`."""
    contexts: list[BrowserContext] = []
    with app.app_context():
        people = get_workspace(seeded), get_account(seeded)
        add_destination(*people, "pagerduty", "N" * 120, PAGER, app_settings.cipher, NOW)
    with serve(app) as address:

        def open_tab(account_id: int, **options: object) -> Page:
            context = chromium.new_context(base_url=address, reduced_motion="reduce", **options)  # type: ignore[arg-type]
            contexts.append(context)
            add_session(context, app, account_id, address)
            tab = context.new_page()
            tab.goto(PAGE)
            return tab

        yield open_tab
        for context in contexts:
            context.close()


def turn_on(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        save_schedule(get_workspace(seeded), get_account(seeded), TIMES, NOW)


def read_choice(app: Flask, seeded: SeededIds) -> DrillChoice:
    with app.app_context():
        return get_destination(seeded).drill_choice


def test_by_keyboard_a_choice_is_saved_in_its_row_without_leaving_the_page(
    app: Flask, seeded: SeededIds, open_as: OpenAs
) -> None:
    turn_on(app, seeded)
    tab = open_as(seeded.admin)
    tab.evaluate("() => { window.isSamePage = true; }")
    choice = tab.get_by_label("Drills of Ticket system")
    choice.focus()
    tab.keyboard.type("No drills")

    expect(tab.get_by_text("Saved: Ticket system.")).to_be_visible()
    expect(tab.locator(f"#drills-{seeded.destination}")).to_contain_text("None: it has no drills.")
    expect(choice).to_be_focused()
    expect(tab.locator(".calendar")).not_to_contain_text("Ticket system")
    assert tab.evaluate("() => window.isSamePage") is True
    assert read_choice(app, seeded) is DrillChoice.SKIP


def test_drill_now_asks_and_shows_its_progress(app: Flask, seeded: SeededIds, open_as: OpenAs) -> None:
    turn_on(app, seeded)
    tab = open_as(seeded.support)
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Drill now").focus()
    tab.keyboard.press("Enter")

    expect(tab.locator("#batch")).to_contain_text("0 of 1 tests are complete")
    expect(tab.locator("#batch")).to_contain_text("1 destination was left out because it pages people.")
    expect(tab.locator(f"#drills-{seeded.destination}")).to_contain_text("Pending")


def test_the_rows_follow_a_drill_while_others_are_under_way_and_keep_their_ticks(
    app: Flask, seeded: SeededIds, open_as: OpenAs
) -> None:
    turn_on(app, seeded)
    with app.app_context():
        people, address = (get_workspace(seeded), get_account(seeded)), {"address": "https://hooks.example.com/beside"}
        second = add_destination(*people, "webhook", "Beside", address, app_state(app).settings.cipher, NOW).id
    tab = open_as(seeded.admin)
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Drill now").click()
    rows = [tab.locator(f"#drills-{row_id}") for row_id in (seeded.destination, second)]
    for row in rows:
        expect(row).to_contain_text("Pending")
    rows[1].get_by_role("checkbox").first.check()

    with app.app_context():
        drill = db.session.query(AlertDelivery).filter_by(alert_destination_id=seeded.destination).one()
        apply_transition(EXPIRE, drill.id, database_clock.now(), **error_columns(Code.NOT_STARTED))
        db.session.commit()

    expect(rows[0]).to_contain_text("Failed")
    expect(rows[1]).to_contain_text("Pending")
    expect(rows[1].get_by_role("checkbox").first).to_be_checked()


def test_without_scripts_drills_are_turned_on_and_a_row_is_saved(
    app: Flask, seeded: SeededIds, open_as: OpenAs
) -> None:
    tab = open_as(seeded.admin, java_script_enabled=False, **PHONE)
    tab.get_by_label("Time zone").select_option("Asia/Tokyo")
    tab.get_by_role("button", name="Turn drills on").click()
    expect(tab.get_by_role("heading", name="Drills are on")).to_be_visible()

    row = tab.locator(f"#drills-{seeded.destination}")
    row.get_by_label("Drills of Ticket system").select_option("quarterly")
    row.get_by_role("button", name="Save").click()

    expect(tab.get_by_text("Saved: Ticket system.")).to_be_visible()
    assert read_choice(app, seeded) is DrillChoice.QUARTERLY


def test_several_are_changed_by_their_boxes(app: Flask, seeded: SeededIds, open_as: OpenAs) -> None:
    tab = open_as(seeded.admin)
    tab.get_by_role("link", name="Tick all").click()
    tab.get_by_label("Ticked ones").select_option("confirm")
    tab.get_by_role("button", name="Change", exact=True).click()

    expect(tab.get_by_text("2 destinations were changed.")).to_be_visible()
    with app.app_context():
        confirmed = db.session.query(AlertDestination).filter_by(workspace_id=seeded.harbor, needs_confirmation=True)
        assert confirmed.count() == 2


@pytest.mark.parametrize("who", ["admin", "viewer"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_or_unreadable_on_a_phone(
    app: Flask, seeded: SeededIds, open_as: OpenAs, who: str, scheme: str
) -> None:
    turn_on(app, seeded)
    tab = open_as(getattr(seeded, who), color_scheme=scheme, **PHONE)
    tab.evaluate(SET_DETAILS_SCRIPT, True)

    assert tab.evaluate(MEASURE_OVERFLOW_SCRIPT) == 0
    assert find_barriers(tab) == []
