"""The icons of the pages, and the marks by which people recognize the channels. One style sheet has all their shapes.

A page names an icon with an empty element, since a list shows hundreds of them. A channel without a mark has the icon
of its name in `static/icons.svg`, or else a general one.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from markupsafe import Markup

SHEET = "icons.css"
GENERAL_ICON = "channel"

_ELEMENT = Markup('<i class="icon-{}"></i>')

_SYMBOL = re.compile(r'<symbol id="(?P<name>[^"]+)"(?P<attributes>[^>]*)>(?P<shapes>.*?)</symbol>', re.DOTALL)

# What needs no escape in a URL in double quotes, besides letters and digits.
_PLAIN = " ='/:;,()+!@"


class Icons(dict[str, Markup]):
    """The element of each icon and mark by its name. Any other name has the general icon's."""

    def __missing__(self, name: str) -> Markup:
        return self[GENERAL_ICON]


def draw_icons(names: Iterable[str]) -> Icons:
    """Return the elements of the icons with these names."""
    return Icons({name: _ELEMENT.format(name) for name in names})


def read_symbols(sprite: str) -> dict[str, str]:
    """Return each symbol of a sprite as an SVG of its own, by its name."""
    return {
        found["name"]: f'<svg xmlns="http://www.w3.org/2000/svg"{found["attributes"]}>{found["shapes"]}</svg>'
        for found in _SYMBOL.finditer(sprite)
    }


def compose_sheet(images: Mapping[str, str]) -> str:
    """Return a style sheet with the shape of each icon, for its element and for app.css. images: SVGs by name."""
    shapes = "".join(f'  --icon-{name}: url("{_to_url(name, image)}");\n' for name, image in images.items())
    return f":root {{\n{shapes}}}\n" + "".join(f".icon-{name} {{ --shape: var(--icon-{name}); }}\n" for name in images)


def _to_url(name: str, image: str) -> str:
    if "</svg>" not in image:
        raise ValueError(f"{name}.svg is not an SVG file")
    line = " ".join(image.split()).replace('"', "'")
    return "data:image/svg+xml," + quote(line, safe=_PLAIN)
