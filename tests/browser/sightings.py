"""What a browser sees of a page: whether it fits, can be read, is quiet, and where it loads from."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Response, ViewportSize

CONTRAST = Path(__file__).with_name("contrast.js").read_text()
WIDTHS = (1280, 360)
"""A desk's screen and a phone's, in CSS pixels."""

OVERFLOW = "Math.max(0, document.scrollingElement.scrollWidth - innerWidth)"
FOLD = "(open) => document.querySelectorAll('details').forEach((details) => { details.open = open; })"
NOTE_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


@dataclass(frozen=True)
class Place:
    """A page. role: who looks at it. press: the button whose press shows it."""

    path: str
    role: str = "admin"
    press: str | None = None
    status: int = 200


@dataclass(frozen=True)
class Sighting:
    """What was seen.

    overflow: pixels that stick out at the side, at each of `WIDTHS`: with everything folded, with everything unfolded.
    pale: the texts with too little contrast.
    """

    overflow: dict[int, tuple[int, int]]
    pale: list[str]
    console: list[str]
    violations: list[str]
    origins: set[str]


def see(tab: Page, place: Place) -> Sighting:
    """Look at a page once."""
    console: list[str] = []
    urls: list[str] = []
    tab.add_init_script(NOTE_VIOLATIONS)
    tab.on("console", lambda message: console.extend(_complaint(message, tab.url)))
    tab.on("pageerror", lambda error: console.append(str(error)))
    tab.on("request", lambda request: urls.append(request.url))
    answer = _go(tab, place)
    assert answer.status == place.status, place
    return Sighting(
        overflow={width: _measure_overflow(tab, width) for width in WIDTHS},
        pale=find_pale(tab),
        console=console,
        violations=tab.evaluate("window.violations"),
        origins={urlsplit(url)._replace(path="", query="", fragment="").geturl() for url in urls},
    )


def find_pale(tab: Page) -> list[str]:
    """List the texts with too little contrast."""
    pale: list[str] = tab.evaluate(CONTRAST)
    return pale


def _measure_overflow(tab: Page, width: int) -> tuple[int, int]:
    tab.set_viewport_size(ViewportSize(width=width, height=800))
    tab.evaluate(FOLD, False)
    folded = tab.evaluate(OVERFLOW)
    tab.evaluate(FOLD, True)
    return folded, tab.evaluate(OVERFLOW)


def _go(tab: Page, place: Place) -> Response:
    answer = tab.goto(place.path)
    if place.press:
        with tab.expect_navigation() as shown:
            tab.get_by_role("button", name=place.press, exact=True).click()
        answer = shown.value
    assert answer
    return answer


def _complaint(message: ConsoleMessage, page: str) -> list[str]:
    # A page that is an answer of 404 is itself reported as a resource that could not be loaded.
    is_the_page_itself = message.location["url"] == page and message.text.startswith("Failed to load resource")
    return [message.text] if message.type in {"error", "warning"} and not is_the_page_itself else []
