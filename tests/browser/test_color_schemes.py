"""Dark differs from light in colors alone, and a phone from a desktop in no color.

So the other checks of a page need not be repeated in dark, and its colors in dark need not be checked on a phone.
"""

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from playwright.sync_api import Page

from benchmarks.installation.processes import ROOT

APP, PICO = "static/app.css", "static/vendor/pico-2.1.1.min.css"

Color = Sequence[float]

# Of each box that is not ticked: its border's color, and that of the page.
READ_COLORS_OF_BOXES = """() => {
    const read = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const page = read(getComputedStyle(document.documentElement).backgroundColor);
    return [...document.querySelectorAll("[type=checkbox]:not(:checked)")]
        .map((box) => [read(getComputedStyle(box).borderTopColor), page]);
}"""

SHADOW = r"(inset )?(0|-?[\d.]+rem)( (0|-?[\d.]+rem)){1,3} (rgba\([^()]*\)|var\(--[\w-]+\))"
ICON = r"url\(\"data:image/svg\+xml,[^\"]*\"\)"
# What a declaration may change: a color, also of a shadow or an icon, and how opaque something is.
COLOR = re.compile(
    rf"#[0-9a-f]{{3,8}}|transparent|dark|var\(--[\w-]+\)|rgba?\([^()]*\)|brightness\(0\)|0?\.\d+|{ICON}|{SHADOW}(,{SHADOW})*"
)


def _list_rules(style: str, feature: str) -> list[tuple[str, str, str]]:
    """List the selectors, properties and values of the media queries with this feature."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    blocks = re.findall(rf"@media[^{{]*{feature}[^{{]*\{{((?:[^{{}}]*\{{[^{{}}]*\}})*)", style)
    return [
        (selector.strip(), name, value.strip())
        for selector, rules in re.findall(r"([^{}]*)\{([^{}]*)\}", "".join(blocks))
        for name, value in re.findall(r"([\w-]+):((?:\"[^\"]*\"|[^;\"])+)", rules)
    ]


@pytest.mark.parametrize("file", [APP, PICO])
def test_dark_changes_colors_alone(file: str) -> None:
    rules = _list_rules((ROOT / file).read_text(), "prefers-color-scheme: ?dark")

    assert rules
    assert [rule for rule in rules if not COLOR.fullmatch(rule[-1])] == []


@pytest.mark.parametrize("file", [APP, PICO])
def test_no_width_changes_a_color(file: str) -> None:
    rules = _list_rules((ROOT / file).read_text(), "width")
    colored = [rule for rule in rules if re.search("color|background|opacity|filter", rule[1])]

    assert rules
    # The names of columns, which a phone shows in front of their values.
    assert [rule for rule in colored if rule[1:] != ("color", "var(--pico-muted-color)")] == []


def test_no_other_file_knows_the_scheme() -> None:
    files = [*(ROOT / "static").rglob("*"), *(ROOT / "templates").rglob("*")]
    knowing = {
        str(file.relative_to(ROOT)) for file in files if file.is_file() and b"prefers-color" in file.read_bytes()
    }

    assert knowing == {APP, PICO}


def _find_color(file: str, name: str) -> str:
    rules = _list_rules((ROOT / file).read_text(), "prefers-color-scheme: ?dark")
    return next(value for _, found, value in rules if found == name)


def _read_hex(color: str) -> list[int]:
    return list(bytes.fromhex(color.removeprefix("#")))


def _compute_contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colors, as WCAG 2.2 defines it."""
    darker, lighter = sorted([_compute_luminance(one), _compute_luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def _compute_luminance(color: Color) -> float:
    channels = [channel / 255 for channel in color]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_code_stands_out_from_a_panel_in_dark() -> None:
    code = _find_color(APP, "--pico-code-background-color")
    panel = _find_color(PICO, "--pico-card-background-color")

    # Pico's own has 1.02, and 1.1 in light.
    assert _compute_contrast(_read_hex(code), _read_hex(panel)) > 1.2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_box_that_is_not_ticked_can_be_seen(admin: Page, scheme: Literal["light", "dark"]) -> None:
    admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    admin.goto("/w/harbor/drills")
    colors = admin.evaluate(READ_COLORS_OF_BOXES)

    # WCAG 2.2, 1.4.11 asks for 3.
    assert len(colors) > 10
    assert [pair for pair in colors if _compute_contrast(*pair) < 3] == []
