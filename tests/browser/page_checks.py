"""What a browser sees of a page: whether it fits, can be read, is quiet, and where it loads from."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Response, ViewportSize

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
    barriers: what keeps somebody from using the page, at each of `WIDTHS`, with everything unfolded.
    """

    overflow: dict[int, tuple[int, int]]
    barriers: dict[int, list[str]]
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
    overflow, barriers = {}, {}
    for width in WIDTHS:
        tab.set_viewport_size(ViewportSize(width=width, height=800))
        overflow[width] = _measure_overflow(tab)
        barriers[width] = find_barriers(tab)
    return Sighting(
        overflow=overflow,
        barriers=barriers,
        console=console,
        violations=tab.evaluate("window.violations"),
        origins={urlsplit(url)._replace(path="", query="", fragment="").geturl() for url in urls},
    )


def find_barriers(tab: Page) -> list[str]:
    """List what axe-core finds, each with the rule and the place."""
    found = Axe().run(tab).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def _measure_overflow(tab: Page) -> tuple[int, int]:
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
