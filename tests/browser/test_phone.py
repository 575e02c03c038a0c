"""On a narrow phone: what is in a panel stays in it, and the text of an empty box is not cut off."""

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import OpenTab, Sessions
from tests.browser.running_demo import RunningDemo

PHONE = ViewportSize(width=360, height=780)

FIND_STICKING_OUT = """() => [...document.querySelectorAll(".panel, .empty, .destination, main")].flatMap((panel) => {
    const { paddingRight, borderRightWidth } = getComputedStyle(panel);
    const edge = panel.getBoundingClientRect().right - parseFloat(paddingRight) - parseFloat(borderRightWidth);
    return [...panel.querySelectorAll("a, button, code, h1, h2, input, label, p, select, summary, textarea")]
        .filter((element) => element.checkVisibility() && !element.closest(".hidden, .overflow-auto"))
        .filter((element) => element.getBoundingClientRect().right > edge + 1)
        .map((element) => element.outerHTML);
})"""
FIND_CUT_PLACEHOLDERS = """() => [...document.querySelectorAll("main input[placeholder]")].filter((box) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(box);
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.font = font;
    const room = box.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    return box.checkVisibility() && canvas.measureText(box.placeholder).width > room;
}).map((box) => box.placeholder)"""


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("nobody", "/sign-in"),
        ("admin", "/w/harbor/destinations"),
        ("admin", "/w/harbor/destinations/<Old ticket system>"),
        ("admin", "/w/harbor/choose"),
        ("admin", "/w/harbor/history"),
        ("admin", "/demo/panel"),
    ],
)
def test_nothing_sticks_out_or_is_cut_off(
    open_tab: OpenTab, sessions: Sessions, demo: RunningDemo, role: str, path: str
) -> None:
    tab: Page = open_tab(storage_state=sessions[role], viewport=PHONE)
    tab.goto(demo.fill_in(path))

    assert tab.evaluate(FIND_STICKING_OUT) == []
    assert tab.evaluate(FIND_CUT_PLACEHOLDERS) == []
