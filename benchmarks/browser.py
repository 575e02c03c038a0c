"""Presses Send test in a real Chromium, whose page measures when the badge changes on the screen."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from benchmarks.installation.processes import Session
from benchmarks.visitor import Press

WATCHED_PRESS = """() => new Promise((resolve) => {
  const status = document.querySelector(".status");
  const observer = new MutationObserver(() => {
    if (!document.querySelector(".status [data-last-test=sent]")) return;
    const visible = performance.now();
    observer.disconnect();
    const requests = performance.getEntriesByType("resource");
    const response = requests.find(({name}) => name.endsWith("/test"));
    const polls = requests.filter(({name}) => name.endsWith("/status")).length;
    resolve({pressed: performance.timeOrigin + pressed, answered: response.responseEnd - pressed,
             visible: visible - pressed, polls});
  });
  observer.observe(status.parentElement, {subtree: true, childList: true, attributes: true});
  const pressed = performance.now();
  status.querySelector(".send").click();
})"""

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return os.environ.get("ALERTCHECK_CHROMIUM") or next(filter(None, map(shutil.which, EXECUTABLES)), None)


@contextmanager
def open_page(chromium: str, session: Session) -> Iterator[Page]:
    """Open a page in which the visitor of a session is signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        with browser.new_context(base_url=session.origin) as context:
            context.add_cookies(
                [
                    {"name": name, "value": value, "url": session.origin}
                    for name, value in session.http.cookies.get_dict().items()
                ]
            )
            yield context.new_page()
        browser.close()


def press(page: Page, path: str) -> Press:
    """Open a destination's page, press Send test, and wait until its badge is Sent."""
    page.goto(path)
    ahead = time.time() - time.monotonic()
    measured = page.evaluate(WATCHED_PRESS)  # all but `pressed` are milliseconds since the click
    pressed = measured["pressed"] / 1000 - ahead
    return Press(
        pressed, pressed + measured["answered"] / 1000, pressed + measured["visible"] / 1000, measured["polls"]
    )
