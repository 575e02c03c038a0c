"""Makes names safe in messages whose readers' apps turn every address in a text into a link."""

import re
from collections.abc import Mapping

# What looks the same in every font, and is not part of an address in any: RFC 3986 and UTS 46 do not allow them.
_SLASHES = "\N{DIVISION SLASH}" * 2
_DOT = "\N{ONE DOT LEADER}"

_INNER_DOT = re.compile(r"(?<=\S)\.(?=\S)")


def prevent_links(text: str) -> str:
    """Return the text with nothing in it that an app would turn into a link: addresses, host names, email addresses.

    Such apps have no escapes, so that the dots and slashes are replaced by characters that look like them.
    """
    return _INNER_DOT.sub(_DOT, text.replace("://", f":{_SLASHES}"))


def prevent_links_in(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts of a message without links in their values."""
    return {label: prevent_links(value) for label, value in facts.items()}


def cut_bytes(text: str, most: int) -> str:
    """Return the text cut to a number of bytes in UTF-8, with an ellipsis for what is missing."""
    encoded = text.encode()
    return text if len(encoded) <= most else encoded[: most - len("…".encode())].decode(errors="ignore") + "…"
