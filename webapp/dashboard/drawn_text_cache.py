"""Keeps what a process has drawn, each with a version, so that what shows the same is not drawn again."""

from collections.abc import Hashable
from threading import Lock
from typing import Any

# By its key, the version that something was drawn from, and what was drawn.
DrawnTexts = dict[Hashable, tuple[Any, Any]]

# Held by the thread that changes what is kept.
_changing = Lock()


def find_drawn(texts: DrawnTexts, key: Hashable, version: Any) -> Any:
    """Return what was drawn from this version, or None. Nothing is kept for a version of None."""
    kept = texts.get(key)
    return kept[1] if kept is not None and version is not None and kept[0] == version else None


def keep_drawn(texts: DrawnTexts, key: Hashable, version: Any, drawn: Any, capacity: int) -> None:
    """Keep it instead of its last version; with a version of None, keep neither. Beyond `capacity`, drop the oldest."""
    with _changing:
        texts.pop(key, None)
        if version is None:
            return
        if len(texts) >= capacity:
            texts.pop(next(iter(texts)))
        texts[key] = version, drawn
