"""The marks by which people recognize the channels: one sprite of the vendored files that have the channels' names.

A channel without such a file has the icon of its name in `static/icons.svg`, or else a general one.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, send_file

SPRITE = "marks.svg"
GENERAL_ICON = "channel"
KEPT_BY_BROWSERS = timedelta(days=7)

_FILE = re.compile(r"<svg(?P<attributes>[^>]*)>(?P<shapes>.*)</svg>\s*", re.DOTALL)
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
_ATTRIBUTE = re.compile(r'\s(?P<name>viewBox|fill|stroke[\w-]*)="(?P<value>[^"]*)"')


class IconAddresses(dict[str, str]):
    """The address of each icon and mark by its name. Any other name has the general icon's."""

    def __missing__(self, name: str) -> str:
        return self[GENERAL_ICON]


def init_marks(app: Flask) -> None:
    """Let templates find every icon and mark by its name, and serve the marks like a static file."""
    folder = Path(app.static_folder or "")
    marks = dict(sorted((file.stem, file.read_text()) for file in folder.glob("vendor/*/*.svg")))
    sprite = compose_sprite(marks).encode()
    version = hashlib.sha256(sprite).hexdigest()[:16]
    icons = re.findall('<symbol id="([^"]+)"', (folder / "icons.svg").read_text())
    app.jinja_env.globals["icons"] = IconAddresses(
        {name: f"{app.static_url_path}/icons.svg#{name}" for name in icons}
        | {name: f"{app.static_url_path}/{SPRITE}?v={version}#{name}" for name in marks}
    )

    def serve(filename: str) -> Response:
        if filename != SPRITE:
            return app.send_static_file(filename)
        return send_file(BytesIO(sprite), "image/svg+xml", etag=version, max_age=int(KEPT_BY_BROWSERS.total_seconds()))

    app.view_functions["static"] = serve


def compose_sprite(marks: dict[str, str]) -> str:
    """Return one SVG with a symbol for each mark, in the color of the text around it. marks: SVG files by name."""
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(_compose_symbols(marks))}</svg>\n'


def _compose_symbols(marks: dict[str, str]) -> Iterator[str]:
    for name, file in marks.items():
        found = _FILE.search(file)
        if found is None:
            raise ValueError(f"{name}.svg is not an SVG file")
        attributes = {"fill": "currentColor"} | dict(_ATTRIBUTE.findall(found["attributes"]))
        written = "".join(f' {attribute}="{value}"' for attribute, value in attributes.items())
        yield f'<symbol id="{name}"{written}>{_TITLE.sub("", found["shapes"]).strip()}</symbol>'
