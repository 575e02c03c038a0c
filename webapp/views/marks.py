"""The marks by which people recognize the channels: one sprite of the vendored files that have the channels' names.

A channel without such a file has the icon of its name in `static/icons.svg`, or else a general one.
"""

import re
from collections.abc import Iterable, Iterator

from markupsafe import Markup

SPRITE = "marks.svg"
GENERAL_ICON = "channel"

_ICON = Markup('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>')

_FILE = re.compile(r"<svg(?P<attributes>[^>]*)>(?P<shapes>.*)</svg>\s*", re.DOTALL)
_TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
_ATTRIBUTE = re.compile(r'\s(?P<name>viewBox|fill|stroke[\w-]*)="(?P<value>[^"]*)"')


class Icons(dict[str, Markup]):
    """The drawing of each icon and mark by its name. Any other name has the general icon's."""

    def __missing__(self, name: str) -> Markup:
        return self[GENERAL_ICON]


def draw_icons(base: str, icons: str, marks: Iterable[str]) -> Icons:
    """Return the drawings of all icons. base: of the folder of both sprites. icons: the first. marks: names."""
    addresses = {name: f"{base}/icons.svg#{name}" for name in re.findall('<symbol id="([^"]+)"', icons)}
    addresses |= {name: f"{base}/{SPRITE}#{name}" for name in marks}
    return Icons({name: _ICON.format(address) for name, address in addresses.items()})


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
