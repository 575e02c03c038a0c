"""Keeps what a process has drawn, each with a version, so that what shows the same is not drawn again."""

from collections.abc import Hashable
from threading import Lock
from typing import Any

# By its name, what was drawn and from which version.
DrawnTexts = dict[Hashable, tuple[Any, Any]]

# Held by the thread that changes what is kept.
_changing = Lock()


def find_drawn(texts: DrawnTexts, key: Hashable, version: Any) -> Any:
    """Return what was drawn from this version, or None. A version of None is that of nothing."""
    kept = texts.get(key)
    return kept[1] if kept is not None and version is not None and kept[0] == version else None


def keep_drawn(texts: DrawnTexts, key: Hashable, version: Any, drawn: Any, capacity: int) -> None:
    """Keep it in place of its last version. What was kept first is dropped if there are too many."""
    with _changing:
        texts.pop(key, None)
        if version is None:
            return
        if len(texts) >= capacity:
            texts.pop(next(iter(texts)))
        texts[key] = version, drawn
