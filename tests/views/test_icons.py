"""The icons and the marks of the channels: found by name alone, served in one style sheet."""

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template_string

from webapp.dashboard.recent_results import RECENT_COUNT
from webapp.demo.receiver.scenarios import Service
from webapp.views.icons import GENERAL_ICON, compose_sheet

SVG = "{http://www.w3.org/2000/svg}svg"


def find_name(app: Flask, name: str) -> str:
    """Return which icon a template gets for a name."""
    with app.test_request_context():
        found = re.fullmatch('<i class="icon-([^"]+)"></i>', render_template_string("{{ icon(name) }}", name=name))
    assert found
    return found[1]


def read_shapes(app: Flask) -> dict[str, str]:
    """Return the SVG of each icon in the style sheet."""
    sheet = app.test_client().get("/static/icons.css")
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    found = re.findall(r'--icon-(\S+): url\("data:image/svg\+xml,([^"]*)"\);', sheet.text)
    return {name: unquote(url) for name, url in found}


@pytest.mark.parametrize("name", [*Service, "send", "sent", "failed", "pending", "never", GENERAL_ICON])
def test_every_service_and_badge_has_a_drawn_icon_of_its_own(app: Flask, name: str) -> None:
    image = ElementTree.fromstring(read_shapes(app)[find_name(app, name)])

    assert (find_name(app, name), image.tag, image.get("viewBox")) == (name, SVG, "0 0 24 24")
    assert len(image) > 0


def test_a_channel_without_a_mark_has_the_general_icon(app: Flask) -> None:
    assert find_name(app, "smoke_signals") == GENERAL_ICON


def test_the_class_of_an_icon_gives_it_its_shape(app: Flask) -> None:
    assert ".icon-send { --shape: var(--icon-send); }" in app.test_client().get("/static/icons.css").text


def test_a_file_that_is_no_image_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"broken\.svg"):
        compose_sheet({"broken": "<html>"})


def test_no_two_files_are_the_mark_of_one_channel(app: Flask) -> None:
    names = [file.stem for file in (Path(app.static_folder or "") / "vendor").glob("*/*.svg")]
    assert len(names) == len(set(names)) > 8


def test_every_icon_that_the_style_sheets_name_exists(app: Flask) -> None:
    sheets = " ".join(file.read_text() for file in Path(app.static_folder or "").glob("*.css"))
    named = set(re.findall(r"var\(--icon-([\w-]+)\)", sheets))

    assert {"send", "sent"} <= named <= set(read_shapes(app))


def test_a_sparkline_can_show_runs_of_every_length(app: Flask) -> None:
    sheet = (Path(app.static_folder or "") / "app.css").read_text()
    lengths = re.findall(r'\[role="img"\] > \[data-n="(\d+)"\] \{ --count: \1; \}', sheet)

    assert [int(length) for length in lengths] == list(range(2, RECENT_COUNT + 1))
