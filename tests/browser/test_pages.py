"""Every page, in light and in dark: it fits a desk and a phone, shuts nobody out, is quiet, and loads only our own."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import AddWebhook, Sessions
from tests.browser.page_checks import WIDTHS, Place, Sighting, find_barriers, see
from tests.browser.running_demo import RunningDemo

Scheme = Literal["light", "dark"]

# The ids are those of the demo's data: 1 was sent, 5 has failed, 8 is disabled, 2 is an e-mail.
PLACES = {
    "sign-in": Place("/sign-in", role="nobody"),
    "sign-in-refused": Place("/sign-in", role="nobody", press="Sign in", status=400),
    "list": Place("/w/harbor/destinations"),
    "list-of-nothing": Place("/w/harbor/destinations?q=no+such+name"),
    "list-of-viewer": Place("/w/clinic/destinations", role="viewer"),
    "sent": Place("/w/harbor/destinations/1"),
    "failed": Place("/w/harbor/destinations/5"),
    "disabled": Place("/w/harbor/destinations/8"),
    "destination-of-viewer": Place("/w/harbor/destinations/2", role="viewer"),
    "history": Place("/w/harbor/history"),
    "history-of-one": Place("/w/harbor/history?destination=5", role="viewer"),
    "history-of-nothing": Place("/w/harbor/history?status=suppressed"),
    "preview": Place("/w/harbor/destinations/1/preview"),
    "preview-of-mail": Place("/w/harbor/destinations/2/preview", role="viewer"),
    "choose": Place("/w/harbor/destinations/new"),
    "add-teams": Place("/w/harbor/destinations/new/teams"),
    "add-email": Place("/w/harbor/destinations/new/email"),
    "add-slack": Place("/w/harbor/destinations/new/slack"),
    "add-refused": Place("/w/harbor/destinations/new/webhook", press="Add destination", status=400),
    "edit": Place("/w/harbor/destinations/2/edit"),
    "delete": Place("/w/harbor/destinations/1/delete"),
    "broken": Place("/broken", role="support"),
    "audit": Place("/w/harbor/audit"),
    "inbox": Place("/demo/inbox"),
    "forbidden": Place("/w/harbor/destinations/new", role="viewer", status=403),
    "not-found": Place("/w/harbor/destinations/0", status=404),
}
KINDS_OF_MESSAGE = (".inbox-card", ".inbox-letter", ".inbox-chat", "[data-signature=valid]", "[data-answer=refused]")
TO_PRESS = ("Operations channel", "On-call e-mail", "Incident room", "Ticket system", "Old ticket system")


@pytest.fixture(scope="module")
def lived_in(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> None:
    """See that the inbox holds a message of every kind."""
    with chromium.new_context(base_url=demo.address, storage_state=sessions["admin"]) as context:
        tab = context.new_page()
        tab.goto("/w/harbor/destinations")
        for name in TO_PRESS:
            tab.get_by_role("button", name=f"Send test to {name}", exact=True).click()
        tab.goto("/demo/inbox")
        for kind in KINDS_OF_MESSAGE:
            expect(tab.locator(kind).first).to_be_visible()


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    scheme: Scheme = request.param
    return scheme


@pytest.fixture(scope="module")
def browsers(
    scheme: Scheme, chromium: Browser, demo: RunningDemo, sessions: Sessions, lived_in: None
) -> Iterator[dict[str, BrowserContext]]:
    """A browser of everybody who looks."""
    # Without movement: a colour that is still changing has no contrast to measure.
    contexts = {
        role: chromium.new_context(
            base_url=demo.address, storage_state=cookies, color_scheme=scheme, reduced_motion="reduce"
        )
        for role, cookies in sessions.items()
    }
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module", params=PLACES.values(), ids=list(PLACES))
def sighting(request: pytest.FixtureRequest, browsers: dict[str, BrowserContext]) -> Sighting:
    """One page, in light or in dark."""
    place: Place = request.param
    with browsers[place.role].new_page() as tab:
        return see(tab, place)


def test_nothing_overflows_the_page(sighting: Sighting) -> None:
    assert sighting.overflow == dict.fromkeys(WIDTHS, (0, 0))


def test_the_page_is_accessible(sighting: Sighting) -> None:
    assert sighting.barriers == {width: [] for width in WIDTHS}


def test_the_console_stays_empty(sighting: Sighting) -> None:
    assert sighting.console == []


def test_the_content_security_policy_is_not_violated(sighting: Sighting) -> None:
    assert sighting.violations == []


def test_everything_is_loaded_from_our_origin(sighting: Sighting, demo: RunningDemo) -> None:
    assert sighting.origins == {demo.address}


def test_a_pending_badge_and_its_reason_are_accessible(add_webhook: AddWebhook, scheme: Scheme) -> None:
    tab = add_webhook("slow")
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.locator("[data-action=send-test]").click()
    expect(tab.locator("[data-last-test=pending]")).to_be_visible()
    assert find_barriers(tab) == []
