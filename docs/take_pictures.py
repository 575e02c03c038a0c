"""Take the README's pictures from a running demo: python docs/take_pictures.py http://127.0.0.1:8000 [chromium]"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
PRESSED = ("Ticket system", "Incident room", "Warehouse alarms")


def main(origin: str, chromium: str = "chromium") -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            take(browser, origin, scheme)
        browser.close()


def take(browser: Browser, origin: str, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 1080, "height": 800}, color_scheme=scheme)
    page.goto(origin)
    page.get_by_role("button", name="Try the demo as admin").click()
    for name in PRESSED:
        press(page, name)
    find_row(page, PRESSED[0]).locator("[data-last-test=sent]").wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"list-{scheme}.png", full_page=True)
    page.close()


def press(page: Page, name: str) -> None:
    button = find_row(page, name).locator("[data-action=send-test]:not([aria-disabled])")
    if button.count():
        button.click()


def find_row(page: Page, name: str) -> Locator:
    return page.locator("li.destination", has=page.get_by_role("link", name=name, exact=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
