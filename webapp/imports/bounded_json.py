"""Reads JSON within limits: mappings, lists and texts. A number stays the text that the file has."""

import json
import re
from collections.abc import Iterable

from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_limits import MAX_DEPTH, MAX_NODES, TOO_DEEP, TOO_MANY
from webapp.imports.file_values import Node

# A whole string, or what opens, closes or separates values. A string that never ends is one match, too.
_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


class _KeyRepeated(ValueError):
    """An object of the file has a key twice."""


def load_json(text: str) -> Node:
    """Return the value of the text. Raises `FileUnreadable`, which names no more than a line."""
    _check_size(text)
    try:
        parsed = json.loads(text, object_pairs_hook=_make_object, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        problem = f"The file is not valid JSON: check line {error.lineno}."
    except _KeyRepeated:
        problem = "The file has a key twice in the same object. Remove one of them."
    else:
        return _normalize(parsed)
    # Outside of the handlers, because the parser's errors contain the whole file.
    raise FileUnreadable(problem)


def _check_size(text: str) -> None:
    depth = nodes = 0
    for mark in _MARK.finditer(text):
        depth += _STEPS.get(mark[0], 0)
        nodes += mark[0] in "[{,"
        if depth > MAX_DEPTH:
            raise FileUnreadable(TOO_DEEP)
        if nodes > MAX_NODES:
            raise FileUnreadable(TOO_MANY)


def _make_object(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise _KeyRepeated
        made[key] = value
    return made


def _normalize(value: object) -> Node:
    """Return booleans as YAML has them."""
    if isinstance(value, dict):
        return {key: _normalize(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normalize(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None
