"""Fixtures for a real Chromium that visits a real demo: signed-in tabs and their own destinations."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

from tests.browser.running_demo import RunningDemo, start_demo
from tests.browser.sent_forms import add_named, send

# The first two are Chromium without windows. They draw the same pages and open a tab in a sixth of the processor time.
NAMES = (
    *("chromium-headless-shell", "chrome-headless-shell"),
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
)
# Milliseconds for a page to show the expected content, also on a busy machine.
TIMEOUT = 40_000
RESET = "/demo/panel/reset"

OpenTab = Callable[..., Page]
AddWebhook = Callable[[str], Page]
Sessions = Mapping[str, StorageState]

expect.set_options(timeout=TIMEOUT)


def find_chromium() -> str:
    """Return the path of a Chromium, or skip with the reason."""
    found = os.environ.get("ALERTCHECK_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(
            "no Chromium: apt-get install chromium-headless-shell, or set ALERTCHECK_CHROMIUM to the path of one"
        )
    return found


# Package scope, not session scope: while Playwright's event loop runs, other tests cannot use asyncio.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path
        )  # Playwright's default: no sandbox, which root may not use
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shared_demo(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A running demo. It depends on the browser, so that it is not started without one."""
    running = start_demo(tmp_path_factory.mktemp("browser"))
    yield running
    running.stop()


@pytest.fixture(scope="package")
def sessions(chromium: Browser, shared_demo: RunningDemo) -> Sessions:
    """The cookies for each role of the demo, and none for `nobody`."""
    roles = ("admin", "support", "viewer")
    return {"nobody": StorageState()} | {role: sign_in(chromium, shared_demo, role) for role in roles}


@pytest.fixture(scope="module")
def demo(chromium: Browser, shared_demo: RunningDemo, sessions: Sessions) -> RunningDemo:
    """The running demo without what the tests of other modules left. Those of the same module share it."""
    reset_with(chromium, shared_demo, sessions)
    return shared_demo


@pytest.fixture
def fresh_demo(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> None:
    """Take the demo back to its beginning, for a test whose seeded destinations another test of the module tests.

    Do not use it in a module whose tests share a destination of their own.
    """
    reset_with(chromium, demo, sessions)


def reset_with(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> None:
    """Take the demo back to its beginning without opening a page. Sessions stay."""
    with chromium.new_context(storage_state=sessions["admin"]) as context:
        context.set_default_timeout(TIMEOUT)
        send(context, f"{demo.address}{RESET}")


def reset(tab: Page) -> None:
    """Press the button that takes the demo back to its beginning, as an admin does."""
    tab.goto(RESET)
    tab.get_by_role("button", name="Reset the demo").click()
    expect(tab.get_by_text("The demo is back at its beginning.")).to_be_visible()


def sign_in(chromium: Browser, demo: RunningDemo, role: str) -> StorageState:
    """Sign in to the demo with a role and return the cookies."""
    with chromium.new_context(base_url=demo.address) as context:
        look_around(context.new_page(), role)
        return context.storage_state()


def look_around(tab: Page, role: str) -> None:
    """Press the sign-in page's demo button for a role."""
    tab.goto("/")
    tab.get_by_role("button", name=f"Try the demo as {role}").click()
    expect(tab.get_by_role("heading", name="Harbor Logistics")).to_be_visible()


@pytest.fixture
def open_tab(chromium: Browser, demo: RunningDemo) -> Iterator[OpenTab]:
    """Open a tab in a new browser context. options: those of Playwright's `new_context`.

    Nothing is animated, unless the options say so: all that is animated is Pico's, and drawing it takes CPU time.
    """
    broken: list[str] = []
    contexts: list[BrowserContext] = []

    def note_blocked(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            broken.append(message.text)

    def open_one(**options: Any) -> Page:
        context = chromium.new_context(base_url=demo.address, **{"reduced_motion": "reduce"} | options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        context.on("weberror", lambda error: broken.append(str(error.error)))
        context.on("console", note_blocked)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert broken == [], "a script broke or was blocked"


@pytest.fixture
def admin(open_tab: OpenTab, sessions: Sessions) -> Page:
    """A tab in which an admin is signed in."""
    return open_tab(storage_state=sessions["admin"])


@pytest.fixture
def support(open_tab: OpenTab, sessions: Sessions) -> Page:
    """A tab in which support is signed in."""
    return open_tab(storage_state=sessions["support"])


@pytest.fixture
def viewer(open_tab: OpenTab, sessions: Sessions) -> Page:
    """A tab in which a viewer is signed in."""
    return open_tab(storage_state=sessions["viewer"])


@pytest.fixture
def open_list_without_javascript(open_tab: OpenTab, sessions: Sessions) -> Page:
    """A list in a browser that runs no scripts."""
    tab = open_tab(storage_state=sessions["support"], java_script_enabled=False)
    tab.goto("/w/clinic/destinations")
    return tab


@pytest.fixture
def add_webhook(admin: Page, demo: RunningDemo) -> AddWebhook:
    """Add a webhook for this test in the admin's tab."""

    return lambda scenario: open_new_webhook(admin, demo, scenario)


def open_new_webhook(tab: Page, demo: RunningDemo, scenario: str) -> Page:
    """Add a webhook, without its form, which `test_forms.py` tests; return the tab, which shows the webhook's page."""
    tab.goto(add_named(tab.context, demo, f"Webhook {os.urandom(4).hex()}", scenario))
    return tab
