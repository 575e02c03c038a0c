"""Names the rows of a file: as the file does, but each name once."""

from collections.abc import Iterable

from webapp.imports.file_limits import MAX_RECEIVERS
from webapp.text.names import MAX_NAME_LENGTH, clean_name, quote_name

# Of a receiver whose name has no visible character.
UNNAMED = "Unnamed"

# Characters that stay free for the number behind a name.
_ROOM = len(f" ({MAX_RECEIVERS})")


def name_rows(names: Iterable[str]) -> list[tuple[str, str | None]]:
    """Return a valid name for each name of a file, and a sentence if it is another one because the first was taken.

    Upper and lower case do not tell two names apart.
    """
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    named = []
    for name in names:
        own = clean_name(clean_name(name)[:MAX_NAME_LENGTH]) or UNNAMED
        free = _find_free(own, taken, numbers)
        taken.add(free.casefold())
        note = f"Another row is called {quote_name(own)}, so this one gets a number." if free != own else None
        named.append((free, note))
    return named


def _find_free(name: str, taken: set[str], numbers: dict[str, int]) -> str:
    """Return a name that is not taken. numbers: the last number of each name, so that none is tried again."""
    if name.casefold() not in taken:
        return name
    base = clean_name(name[: MAX_NAME_LENGTH - _ROOM])
    free, number = name, numbers.get(base.casefold(), 1)
    while free.casefold() in taken:
        number += 1
        free = f"{base} ({number})"
    numbers[base.casefold()] = number
    return free
