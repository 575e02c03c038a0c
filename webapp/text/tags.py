"""Tags of destinations: short words by which a workspace's list can be filtered."""

import re
from collections.abc import Iterable
from zlib import crc32

from webapp.text.names import clean_name

MAX_TAGS = 10
MAX_TAG_LENGTH = 30

# Separates tags, where people write them and where they are stored.
SEPARATOR = ","

# A tag's color is one of these, chosen by its name alone.
COLORS = 6

_SPLIT = re.compile(r"[,;\n]")


class TagsInvalid(ValueError):
    """The tags cannot be used. The text is a sentence for the person who typed them."""


def read_tags(text: str) -> tuple[str, ...]:
    """Return the tags in a text, in lower case, each once, in alphabetical order. Raises `TagsInvalid`."""
    tags = sorted({tag for piece in _SPLIT.split(text) if (tag := clean_name(piece).lower())})
    for tag in tags:
        if len(tag) > MAX_TAG_LENGTH:
            raise TagsInvalid(f"A tag has at most {MAX_TAG_LENGTH} characters. Separate tags with commas.")
    return check_number(tags)


def check_number(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in alphabetical order. Raises `TagsInvalid` if they are too many for one destination."""
    found = tuple(sorted(tags))
    if len(found) > MAX_TAGS:
        raise TagsInvalid(f"A destination has at most {MAX_TAGS} tags.")
    return found


def join_tags(tags: Iterable[str]) -> str:
    """Return the tags as they are stored."""
    return SEPARATOR.join(tags)


def split_tags(stored: str) -> tuple[str, ...]:
    """Return stored tags."""
    return tuple(stored.split(SEPARATOR)) if stored else ()


def color_of(tag: str) -> int:
    """Return the number of a tag's color, from 0. It is the same everywhere, and after every restart."""
    return crc32(tag.encode()) % COLORS
