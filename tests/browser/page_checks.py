"""Checks a page in a browser: overflow, accessibility, console messages and the origins of its resources."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response, ViewportSize

# CSS pixels of a desktop screen and of a phone.
WIDTHS = (1280, 360)

MEASURE_OVERFLOW_SCRIPT = "Math.max(0, document.scrollingElement.scrollWidth - innerWidth)"
SET_DETAILS_SCRIPT = "(open) => document.querySelectorAll('details').forEach((details) => { details.open = open; })"
# A live region announces every change in it, with some screen readers even inside `aria-live=off`.
CLOCKS = "time, [data-ago], .countdown, [data-until]"
FIND_ANNOUNCED_CLOCKS = """(clocks) => [...document.querySelectorAll("[aria-live], [role=status], [role=alert]")]
    .filter((region) => region.ariaLive !== "off" && region.querySelector(clocks)).map((region) => region.outerHTML)"""
# The Tab key stops at what can be used, at what scrolls, and at no text.
FIND_TEXT_STOPS = """() => [...document.querySelectorAll("[tabindex='0']")]
    .filter((element) => !element.matches(".overflow-auto, pre")).map((element) => element.outerHTML)"""
# What looks the same with the focus as without it. The Tab key before it lets the browser show the focus.
FIND_UNMARKED_FOCUS = """() => {
    const look = (element) => {
        const { outlineStyle, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
        return [outlineStyle, boxShadow, borderColor, backgroundColor].join();
    };
    return [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0']")]
        .filter((element) => element.checkVisibility() && !element.disabled && element.type !== "hidden")
        .filter((element) => !element.matches(".skip"))
        .filter((element) => {
            element.blur();
            const before = look(element);
            element.focus();
            return look(element) === before;
        }).map((element) => element.outerHTML);
}"""
# Most of axe-core's time is spent on the contrast of texts that look the same. Once one has passed, on this page or on
# another, another passes too if its own style and that of all layers behind it, which axe-core finds, are equal. Only
# passes are remembered.
REMEMBER_CONTRAST = """(looks) => {
    const [check, passed] = [axe._audit.checks["color-contrast"], new Set(looks)];
    const { evaluate } = check;
    const paints = new Map();
    const paint = (element) => {
        if (!paints.has(element)) {
            const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode } = getComputedStyle(element);
            paints.set(element, [backgroundColor, backgroundImage, opacity, filter, mixBlendMode].join());
        }
        return paints.get(element);
    };
    check.evaluate = function (element, ...others) {
        const { color, fontSize, fontWeight, textShadow, webkitTextStrokeWidth } = getComputedStyle(element);
        const layers = axe.commons.dom.getTextElementStack(element).map((layer) => layer.map(paint));
        const look = JSON.stringify([color, fontSize, fontWeight, textShadow, webkitTextStrokeWidth, layers]);
        const result = passed.has(look) || evaluate.call(this, element, ...others);
        if (result === true) passed.add(look);
        return result;
    };
    let returned = passed.size;
    window.axe.forgetPaints = () => paints.clear();
    window.axe.takePassedLooks = () => {
        const looks = [...passed].slice(returned);
        returned = passed.size;
        return looks;
    };
}"""
# Returns no more than is needed: all that axe-core has found passes through three processes.
RUN_AXE = """async () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const options = dark ? { runOnly: ["color-contrast", "link-in-text-block"] } : {};
    axe.forgetPaints();  // of another width or color scheme
    const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
    const barriers = violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`));
    return [barriers, axe.takePassedLooks()];
}"""
NOTE_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


@dataclass(frozen=True)
class PageCase:
    """A page to check.

    path: may have names of destinations in it, as `RunningDemo.fill_in` reads them. role: the visitor's role.
    press: the button that leads to the page.
    """

    path: str
    role: str = "admin"
    press: str | None = None
    status: int = 200


@dataclass(frozen=True)
class PageReport:
    """The result of checking a page.

    overflow: pixels of horizontal overflow for each of `WIDTHS`: with all details closed, with all details open.
    barriers: accessibility violations for each of `WIDTHS`, with all details open.
    barriers_in_dark: those in dark, on a desktop alone: a phone has the same colors (see `test_color_schemes.py`).
    announced_clocks: live regions that hold a clock. text_stops: texts at which the Tab key stops.
    unmarked_focus: what can be used by keyboard, but does not show that it has the focus.
    """

    overflow: dict[int, tuple[int, int]]
    barriers: dict[int, list[str]]
    barriers_in_dark: list[str]
    announced_clocks: list[str]
    text_stops: list[str]
    unmarked_focus: list[str]
    console: list[str]
    violations: list[str]
    origins: set[str]


# What has passed the check of contrast on any page of this process.
_passed_looks: list[str] = []


def note_violations(context: BrowserContext) -> None:
    """Let each page of the context collect what its content security policy blocks, for `check_page`."""
    context.add_init_script(NOTE_VIOLATIONS)


def check_page(tab: Page, case: PageCase) -> PageReport:
    """Open a page in light and check it. It is not animated: a color in transition has no contrast to measure."""
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    with _note_complaints_and_urls(tab) as (console, urls):
        response = _open(tab, case)
        assert response.status == case.status, case
        overflow, barriers = {}, {}
        for width in reversed(WIDTHS):
            tab.set_viewport_size(ViewportSize(width=width, height=800))
            overflow[width] = _measure_overflow(tab)
            barriers[width] = find_barriers(tab)
        tab.emulate_media(color_scheme="dark")
        return PageReport(
            overflow=overflow,
            barriers=barriers,
            barriers_in_dark=find_barriers(tab),
            announced_clocks=tab.evaluate(FIND_ANNOUNCED_CLOCKS, CLOCKS),
            text_stops=tab.evaluate(FIND_TEXT_STOPS),
            unmarked_focus=_find_unmarked_focus(tab),
            console=console,
            violations=tab.evaluate("window.violations"),
            origins={urlsplit(url)._replace(path="", query="", fragment="").geturl() for url in urls},
        )


@contextmanager
def _note_complaints_and_urls(tab: Page) -> Iterator[tuple[list[str], list[str]]]:
    """Collect what the console says and what is requested inside a `with`. Other pages use the same tab."""
    console: list[str] = []
    urls: list[str] = []
    listeners: dict[Any, Callable[[Any], None]] = {
        "console": lambda message: console.extend(_complaint(message, tab.url)),
        "pageerror": lambda error: console.append(str(error)),
        "request": lambda request: urls.append(request.url),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    try:
        yield console, urls
    finally:
        for event, listener in listeners.items():
            tab.remove_listener(event, listener)


def find_faults(tab: Page) -> list[str]:
    """List what is too wide or inaccessible in a page as it is now, on a phone and on a desktop, which it ends on.

    Its colors in dark are checked on the desktop alone: `test_color_schemes.py` shows that this is enough.
    """
    found: list[str] = []
    for width in reversed(WIDTHS):
        tab.set_viewport_size(ViewportSize(width=width, height=800))
        found += [f"too wide for {width}"] * bool(tab.evaluate(MEASURE_OVERFLOW_SCRIPT))
        found += [f"at {width}: {barrier}" for barrier in find_barriers(tab)]
    tab.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"in dark: {barrier}" for barrier in find_barriers(tab)]
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found


def find_barriers(tab: Page) -> list[str]:
    """List axe-core's violations, each with its rule and element.

    In dark, only the colors are checked. Nothing else differs there, so check each page in light too.
    """
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(AXE_SCRIPT)
        tab.evaluate(REMEMBER_CONTRAST, _passed_looks)
    found: list[str]
    found, looks = tab.evaluate(RUN_AXE)
    _passed_looks.extend(looks)
    return found


def _measure_overflow(tab: Page) -> tuple[int, int]:
    tab.evaluate(SET_DETAILS_SCRIPT, False)
    closed = tab.evaluate(MEASURE_OVERFLOW_SCRIPT)
    tab.evaluate(SET_DETAILS_SCRIPT, True)
    return closed, tab.evaluate(MEASURE_OVERFLOW_SCRIPT)


def _find_unmarked_focus(tab: Page) -> list[str]:
    tab.keyboard.press("Tab")
    found: list[str] = tab.evaluate(FIND_UNMARKED_FOCUS)
    return found


def _open(tab: Page, case: PageCase) -> Response:
    response = tab.goto(case.path)
    if case.press:
        button = tab.get_by_role("button", name=case.press, exact=True)
        if case.status == 200:  # a form that is checked stays where it is
            button.click()
            tab.locator("#errors h2").wait_for()
        else:
            with tab.expect_navigation() as shown:
                button.click()
            response = shown.value
    assert response
    return response


def _complaint(message: ConsoleMessage, page: str) -> list[str]:
    # The browser reports the page itself as a failed resource if its status is 404.
    is_the_page_itself = message.location["url"] == page and message.text.startswith("Failed to load resource")
    return [message.text] if message.type in {"error", "warning"} and not is_the_page_itself else []
