"""Every page in light and dark: it fits desktop and phone, is accessible, logs nothing and loads only our files."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import AddWebhook, Sessions
from tests.browser.page_checks import WIDTHS, PageCase, PageReport, check_page, find_barriers, note_violations
from tests.browser.running_demo import RunningDemo
from tests.browser.sent_forms import send

Scheme = Literal["light", "dark"]

PAGE_CASES = {
    "sign-in": PageCase("/sign-in", role="nobody"),
    "sign-in-refused": PageCase("/sign-in", role="nobody", press="Sign in", status=400),
    "list": PageCase("/w/harbor/destinations"),
    "list-of-nothing": PageCase("/w/harbor/destinations?q=no+such+name"),
    "list-of-viewer": PageCase("/w/clinic/destinations", role="viewer"),
    "sent": PageCase("/w/harbor/destinations/<Operations channel>"),
    "failed": PageCase("/w/harbor/destinations/<Old ticket system>"),
    "disabled": PageCase("/w/harbor/destinations/<Night shift channel>"),
    "destination-of-viewer": PageCase("/w/harbor/destinations/<On-call email>", role="viewer"),
    "history": PageCase("/w/harbor/history"),
    "history-of-one": PageCase("/w/harbor/history?destination=<Old ticket system>", role="viewer"),
    "history-of-nothing": PageCase("/w/harbor/history?status=suppressed"),
    "preview": PageCase("/w/harbor/destinations/<Operations channel>/preview"),
    "preview-of-mail": PageCase("/w/harbor/destinations/<On-call email>/preview", role="viewer"),
    "choose": PageCase("/w/harbor/destinations/new"),
    "add-teams": PageCase("/w/harbor/destinations/new/teams"),
    "add-email": PageCase("/w/harbor/destinations/new/email"),
    "add-slack": PageCase("/w/harbor/destinations/new/slack"),
    "add-refused": PageCase("/w/harbor/destinations/new/webhook", press="Add destination"),
    "import": PageCase("/w/harbor/import"),
    "import-refused": PageCase("/w/harbor/import", press="Show what is in it", status=400),
    "edit": PageCase("/w/harbor/destinations/<On-call email>/edit"),
    "delete": PageCase("/w/harbor/destinations/<Operations channel>/delete"),
    "broken": PageCase("/broken", role="support"),
    "workspaces": PageCase("/workspaces", role="support"),
    "search": PageCase("/search", role="viewer"),
    "drills": PageCase("/w/harbor/drills"),
    "drills-of-viewer": PageCase("/w/clinic/drills", role="viewer"),
    "problems": PageCase("/w/harbor/problems"),
    "problem-preferences": PageCase("/w/harbor/problems/preferences", role="viewer"),
    "members": PageCase("/w/harbor/members"),
    "member": PageCase("/w/harbor/members/2"),
    "remove-member": PageCase("/w/harbor/members/2/remove"),
    "audit": PageCase("/w/harbor/audit"),
    "account": PageCase("/account", role="support"),
    "forgot-password": PageCase("/forgot-password", role="nobody"),
    "reset-link-ended": PageCase("/reset-password", role="nobody", status=404),
    "instance": PageCase("/instance"),
    "instance-workspaces": PageCase("/instance/workspaces"),
    "instance-workspace": PageCase("/instance/workspaces/clinic"),
    "instance-add-refused": PageCase("/instance/add-workspace", press="Add the workspace", status=400),
    "instance-delete": PageCase("/instance/workspaces/clinic/delete"),
    "instance-deleted": PageCase("/instance/deleted-workspaces"),
    "instance-accounts": PageCase("/instance/accounts"),
    "instance-account": PageCase("/instance/accounts/2"),
    "instance-of-nobody-else": PageCase("/instance", role="support", status=404),
    "inbox": PageCase("/demo/inbox"),
    "inbox-of-one": PageCase("/demo/inbox?destination=<Operations channel>", role="viewer"),
    "demo-panel": PageCase("/demo/panel"),
    "demo-reset": PageCase("/demo/panel/reset", role="viewer"),
    "forbidden": PageCase("/w/harbor/destinations/new", role="viewer", status=403),
    "not-found": PageCase("/w/harbor/destinations/0", status=404),
}
KINDS_OF_MESSAGE = (".inbox-card", ".inbox-email", ".inbox-chat", "[data-signature=valid]", "[data-answer=refused]")
TO_PRESS = ("Operations channel", "On-call email", "Incident room", "Ticket system", "Old ticket system")


@pytest.fixture(scope="module")
def full_inbox(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> None:
    """Fill the inbox with a message of every kind."""
    with chromium.new_context(base_url=demo.address, storage_state=sessions["admin"]) as context:
        for name in TO_PRESS:
            send(context, f"{demo.address}{demo.fill_in(f'/w/harbor/destinations/<{name}>/test')}")
        tab = context.new_page()
        tab.goto("/demo/inbox")
        for kind in KINDS_OF_MESSAGE:
            expect(tab.locator(kind).first).to_be_visible()


@pytest.fixture(scope="module")
def tabs(chromium: Browser, demo: RunningDemo, sessions: Sessions, full_inbox: None) -> Iterator[dict[str, Page]]:
    """A tab for each role. All its pages are shown by one process, which has compiled the scripts once."""
    contexts = {
        role: chromium.new_context(base_url=demo.address, storage_state=cookies) for role, cookies in sessions.items()
    }
    yield {role: _open_tab(context) for role, context in contexts.items()}
    for context in contexts.values():
        context.close()


def _open_tab(context: BrowserContext) -> Page:
    note_violations(context)
    return context.new_page()


@pytest.fixture(scope="module", params=PAGE_CASES.values(), ids=list(PAGE_CASES))
def report(request: pytest.FixtureRequest, tabs: dict[str, Page], demo: RunningDemo) -> PageReport:
    """The checks of one page."""
    case: PageCase = request.param
    return check_page(tabs[case.role], replace(case, path=demo.fill_in(case.path)))


def test_nothing_overflows_the_page(report: PageReport) -> None:
    assert report.overflow == dict.fromkeys(WIDTHS, (0, 0))


def test_the_page_is_accessible(report: PageReport) -> None:
    assert report.barriers == {width: [] for width in WIDTHS}


def test_its_colors_are_accessible_in_dark_too(report: PageReport) -> None:
    assert report.barriers_in_dark == []


def test_no_live_region_holds_a_clock(report: PageReport) -> None:
    assert report.announced_clocks == []


def test_the_tab_key_stops_at_no_text(report: PageReport) -> None:
    assert report.text_stops == []


def test_what_has_the_focus_shows_it(report: PageReport) -> None:
    assert report.unmarked_focus == []


def test_the_console_stays_empty(report: PageReport) -> None:
    assert report.console == []


def test_the_content_security_policy_is_not_violated(report: PageReport) -> None:
    assert report.violations == []


def test_everything_is_loaded_from_our_origin(report: PageReport, demo: RunningDemo) -> None:
    assert report.origins == {demo.address}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pending_badge_and_its_reason_are_accessible(add_webhook: AddWebhook, scheme: Scheme) -> None:
    tab = add_webhook("slow")
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.locator(".send").click()
    expect(tab.locator("[data-last-test=pending]")).to_be_visible()
    assert find_barriers(tab) == []
