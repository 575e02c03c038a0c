"""The marks of the channels: found by name alone, served as one sprite, in the color of the text."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template_string

from webapp.demo.receiver.scenarios import Service
from webapp.views.marks import GENERAL_ICON, compose_sprite

ICON = "{{ icon(name) }}"


def find_address(app: Flask, name: str) -> str:
    with app.test_request_context():
        found = re.search('href="([^"]+)"', render_template_string(ICON, name=name))
    assert found
    return found[1]


@pytest.mark.parametrize("service", Service)
def test_every_service_has_a_drawn_mark_of_its_own(app: Flask, service: Service) -> None:
    address = find_address(app, service)
    file, _, name = address.partition("#")
    response = app.test_client().get(file)
    sprite = ElementTree.fromstring(response.data)
    response.close()
    symbols = sprite.findall(f".//{{*}}symbol[@id='{name}']")
    assert (name, len(symbols), len(symbols[0]) > 0) == (service, 1, True)
    assert (symbols[0].get("viewBox"), symbols[0].get("title")) == ("0 0 24 24", None)


def test_a_channel_without_a_mark_has_the_general_icon(app: Flask) -> None:
    assert find_address(app, "smoke_signals").endswith(f"/icons.svg#{GENERAL_ICON}")


def test_the_marks_have_the_color_of_the_text(app: Flask) -> None:
    sprite = app.test_client().get("/static/marks.svg").text
    colors = set(re.findall(r'(?:fill|stroke)="([^"]+)"', sprite))
    assert colors == {"currentColor", "none"}
    assert "<title>" not in sprite


def test_a_file_that_is_no_drawing_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"broken\.svg"):
        compose_sprite({"broken": "<html>"})


def test_no_two_files_are_the_mark_of_one_channel(app: Flask) -> None:
    names = [file.stem for file in (Path(app.static_folder or "") / "vendor").glob("*/*.svg")]
    assert len(names) == len(set(names)) > 8
