"""Takes the README's pictures from a running demo: `python docs/take_pictures.py http://127.0.0.1:8000 [chromium]`.

Start the demo with a new DATA_DIR first. The pictures show its own data, and a test of the last minute blocks a press.
"""

import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Locator, Page, ViewportSize, sync_playwright

Scheme = Literal["light", "dark"]

SCHEMES: tuple[Scheme, ...] = ("light", "dark")

PICTURES = Path(__file__).parent / "pictures"

# Destinations to test before the picture of the list: one badge is Pending then, and two are Sent.
TESTED = ("Ticket system", "Incident room", "Warehouse alarms")

# A destination whose last test failed after its settings were changed.
FAILED = "Old ticket system"

# Pixels around the part of a page that a picture shows.
MARGIN = 8

WIDE: ViewportSize = {"width": 1200, "height": 800}
NARROW: ViewportSize = {"width": 860, "height": 800}


def main(origin: str, chromium: str = "chromium") -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = sign_in(browser, origin)
        take_list(page)
        take_failure(page)
        browser.close()


def sign_in(browser: Browser, origin: str) -> Page:
    page = browser.new_page(viewport=WIDE)
    page.goto(origin)
    page.get_by_role("button", name="Try the demo as admin").click()
    return page


def take_list(page: Page) -> None:
    for name in TESTED:
        send_test(page, name)
    find_row(page, TESTED[0]).locator("[data-last-test=sent]").wait_for()
    page.wait_for_timeout(1500)
    page.reload()
    take_in_each_scheme(page, "list")


def take_failure(page: Page) -> None:
    """Take the upper part of the destination's page: the badge, the cause, the next step, and what is known."""
    page.get_by_role("link", name=FAILED, exact=True).click()
    page.locator("[data-last-test=failed]").first.wait_for()
    page.set_viewport_size(NARROW)
    top, bottom = find_box(page, "h1"), find_box(page, "#details .panel")
    height = bottom["y"] + bottom["height"] - top["y"] + 2 * MARGIN
    clip: FloatRect = {
        "x": bottom["x"] - MARGIN,
        "y": top["y"] - MARGIN,
        "width": bottom["width"] + 2 * MARGIN,
        "height": height,
    }
    take_in_each_scheme(page, "failure", clip)


def take_in_each_scheme(page: Page, name: str, clip: FloatRect | None = None) -> None:
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png", full_page=True, clip=clip, animations="disabled")


def find_box(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).first.bounding_box()
    assert box, f"the page shows no {selector}"
    return box


def send_test(page: Page, name: str) -> None:
    button = find_row(page, name).locator(".send:not([aria-disabled])")
    if button.count():
        button.click()


def find_row(page: Page, name: str) -> Locator:
    return page.locator("li.destination", has=page.get_by_role("link", name=name, exact=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
