"""Draws the options of a filter's lists. They are kept, because drawing them took longer than reading the rows."""

from functools import lru_cache

from markupsafe import Markup

# Lists that a process keeps, of about 2 KB each.
CAPACITY = 200

# A value and the words that a person reads.
Choice = tuple[str, str]


@lru_cache(CAPACITY)
def draw_options(choices: tuple[Choice, ...], chosen: str | None) -> Markup:
    """Draw the options of a list. chosen: the value that is selected."""
    return Markup("\n").join(_draw(value, words, value == chosen) for value, words in choices)


def _draw(value: str, words: str, is_chosen: bool) -> Markup:
    selected = Markup(" selected") if is_chosen else ""
    return Markup('<option value="{}"{}>{}</option>').format(value, selected, words)
