"""What can be pressed has 24 by 24 pixels, or as much room around it (WCAG 2.2, 2.5.8)."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.conftest import OpenTab, Sessions

FIND_CROWDED = """async () => {
    const { violations } = await axe.run("main", { runOnly: ["target-size"], resultTypes: ["violations"] });
    return violations.flatMap((rule) => rule.nodes.map((node) => node.html));
}"""


@pytest.mark.parametrize("path", ["/broken", "/w/harbor/drills", "/w/harbor/destinations", "/w/harbor/history"])
@pytest.mark.parametrize("width", [1280, 360])
def test_what_can_be_pressed_has_room(open_tab: OpenTab, sessions: Sessions, path: str, width: int) -> None:
    tab = open_tab(storage_state=sessions["admin"], viewport={"width": width, "height": 800}, bypass_csp=True)
    tab.goto(path)
    tab.evaluate(AXE_SCRIPT)
    assert tab.evaluate(FIND_CROWDED) == []
