"""The members' pages in real browsers: an admin removes somebody whose page is open, with and without scripts."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, find_barriers
from tests.browser.served_app import add_session, serve
from tests.browser.test_journey import press_tab_until_focused
from tests.factories import NOW, SeededIds
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import Account, Role, Workspace
from webapp.workspaces.membership_changes import set_role

LIST = "/w/harbor/destinations"
RETURN_FROM_CACHE = "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"

OpenAs = Callable[..., Page]


@pytest.fixture
def second_admin(app: Flask, seeded: SeededIds) -> int:
    with app.app_context():
        account = add_account("ben@example.com", "B" * 200, None, NOW)
        set_role(db.session.get_one(Workspace, seeded.harbor), account, Role.ADMIN)
        db.session.commit()
        return account.id


@pytest.fixture
def open_as(app: Flask, chromium: Browser) -> Iterator[OpenAs]:
    """Open a tab in which an account is signed in. options: those of Playwright's `new_context`."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []
    with serve(app) as address:

        def open_tab(account_id: int, **options: object) -> Page:
            context = chromium.new_context(base_url=address, reduced_motion="reduce", **options)  # type: ignore[arg-type]
            contexts.append(context)
            add_session(context, app, account_id, address)
            context.on("weberror", lambda error: errors.append(str(error.error)))
            return context.new_page()

        yield open_tab
        for context in contexts:
            context.close()
    assert errors == []


def test_a_member_who_is_removed_loses_the_page_that_is_open(seeded: SeededIds, open_as: OpenAs) -> None:
    support, admin = open_as(seeded.support), open_as(seeded.admin)
    support.goto(LIST)
    expect(support.get_by_role("heading", name="Harbor Logistics")).to_be_visible()

    admin.goto(LIST)
    press_tab_until_focused(admin, admin.get_by_role("link", name="Settings", exact=True))
    admin.keyboard.press("Enter")
    admin.get_by_role("link", name="Support", exact=True).click()
    admin.get_by_role("link", name="Remove from this workspace").click()
    admin.get_by_role("button", name="Remove", exact=True).click()
    expect(admin.locator(".flash[role=status]:not(#stale)")).to_contain_text("is no longer a member.")
    expect(admin.get_by_role("link", name="Support", exact=True)).to_have_count(0)

    support.evaluate(RETURN_FROM_CACHE)
    expect(support.get_by_role("heading", name="Page not found")).to_be_visible()
    assert "Harbor Logistics" not in support.content()
    support.get_by_role("link", name="Go to the start page").click()
    expect(support.locator("main")).to_contain_text("not a member of a workspace yet")


def test_without_scripts_an_admin_changes_a_role_and_steps_down_after_a_question(
    seeded: SeededIds, second_admin: int, open_as: OpenAs
) -> None:
    admin = open_as(seeded.admin, java_script_enabled=False)
    admin.goto("/w/harbor/members?q=viewer")
    admin.get_by_role("link", name="Viewer", exact=True).click()
    admin.get_by_role("radio", name="support").check()
    admin.get_by_role("button", name="Change the role").click()
    expect(admin.locator(".flash[role=status]:not(#stale)")).to_contain_text("is now support.")

    admin.get_by_role("link", name="Admin", exact=True).click()
    admin.get_by_role("radio", name="viewer").check()
    admin.get_by_role("button", name="Change the role").click()
    expect(admin.get_by_role("heading", name="Become viewer?")).to_be_visible()
    admin.get_by_role("button", name="Become viewer").click()
    expect(admin.locator("main")).to_contain_text("You are now viewer in")
    expect(admin.get_by_role("link", name="Settings", exact=True)).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", ["W" * 190, "Maria de la Trinidad y Santos " * 6])
def test_a_long_name_stays_in_its_cell(
    app: Flask, seeded: SeededIds, second_admin: int, open_as: OpenAs, name: str, width: int
) -> None:
    with app.app_context():
        db.session.get_one(Account, second_admin).name = name
        db.session.commit()
    tab = open_as(seeded.admin, viewport={"width": width, "height": 740})
    tab.goto("/w/harbor/members")

    assert tab.locator("td").evaluate_all("cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth)") == []
    region = tab.get_by_role("region", name="List of members")
    assert region.evaluate("region => region.scrollWidth - region.clientWidth") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barrier_and_fit_a_phone(
    seeded: SeededIds, second_admin: int, open_as: OpenAs, scheme: str
) -> None:
    tab = open_as(seeded.admin, color_scheme=scheme, viewport={"width": 360, "height": 740})
    member = f"/w/harbor/members/{second_admin}"
    found = {}
    for path in ("/w/harbor/members", member, f"{member}/remove", f"/w/harbor/members/{seeded.admin}/role?role=viewer"):
        tab.goto(path)
        found[path] = (find_barriers(tab), tab.evaluate(MEASURE_OVERFLOW_SCRIPT))

    assert {path: problems for path, problems in found.items() if problems != ([], 0)} == {}
