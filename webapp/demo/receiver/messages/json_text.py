"""Reads JSON that anybody may have sent: whatever is missing or of another type counts as empty."""

import json
from typing import Any


def parse_json(body: str) -> Any:
    """Return the parsed JSON, or None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def parse_object(body: str) -> dict[str, Any]:
    """Return the JSON object that is the whole body; empty if it is anything else."""
    parsed = parse_json(body)
    return parsed if isinstance(parsed, dict) else {}


def find_dicts(parent: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list with this name."""
    children = parent.get(name) if isinstance(parent, dict) else None
    return [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []


def find_dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object with this name."""
    child = parent.get(name)
    return child if isinstance(child, dict) else {}


def find_text(parent: dict[str, Any], name: str) -> str:
    """Return the text or the number with this name as text."""
    value = parent.get(name)
    return make_encodable(str(value)) if isinstance(value, str | int | float) else ""


def find_pairs(parent: dict[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    """Return the names and texts of the object with this name."""
    pairs = find_dict(parent, name)
    return tuple((make_encodable(label), find_text(pairs, label)) for label in pairs)


def make_encodable(text: str) -> str:
    """Replace lone surrogates, which JSON may contain and no page can."""
    return text.encode(errors="replace").decode()
