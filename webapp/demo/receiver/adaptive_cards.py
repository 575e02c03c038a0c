"""A Teams message as a person sees it: the texts, facts and buttons of its Adaptive Card, in order.

Element names: https://adaptivecards.io/explorer/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

DEEPEST = 10  # a card from a stranger may nest without end
_LARGE = ("large", "extralarge")


@dataclass(frozen=True)
class Text:
    """A paragraph, in plain text."""

    kind: ClassVar[str] = "text"
    text: str
    large: bool = False
    strong: bool = False
    subtle: bool = False


@dataclass(frozen=True)
class CardFacts:
    """A list of titles and values."""

    kind: ClassVar[str] = "facts"
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Button:
    """A button that opens an address. Whether it may be pressed here is not known yet."""

    kind: ClassVar[str] = "button"
    title: str
    url: str


@dataclass(frozen=True)
class Undrawn:
    """An element that isn't drawn here; its type is named instead."""

    kind: ClassVar[str] = "undrawn"
    type: str


Block = Text | CardFacts | Button | Undrawn


@dataclass(frozen=True)
class Card:
    """An Adaptive Card, flattened."""

    kind: ClassVar[str] = "teams"
    blocks: tuple[Block, ...]


def parse_card(message: Any) -> Card | None:
    """Read the parsed JSON of a Teams message; None where it carries no Adaptive Card."""
    for attachment in _dicts(message, "attachments"):
        content = attachment.get("content")
        if isinstance(content, dict) and content.get("type") == "AdaptiveCard":
            return Card((*_blocks(content, "body"), *_blocks(content, "actions")))
    return None


def _blocks(parent: dict[str, Any], name: str, depth: int = 0) -> Iterator[Block]:
    if depth == DEEPEST:
        return
    for element in _dicts(parent, name):
        match element.get("type"):
            case "TextBlock":
                yield _text(element)
            case "FactSet":
                yield CardFacts(tuple((_str(fact, "title"), _str(fact, "value")) for fact in _dicts(element, "facts")))
            case "Action.OpenUrl":
                yield Button(_str(element, "title"), _str(element, "url"))
            case "Container" | "Column":
                yield from _blocks(element, "items", depth + 1)
            case "ColumnSet":
                yield from _blocks(element, "columns", depth + 1)
            case _:
                yield Undrawn(_str(element, "type") or "unknown element")


def _text(element: dict[str, Any]) -> Text:
    return Text(
        _str(element, "text"),
        large=_str(element, "size").lower() in _LARGE,
        strong=_str(element, "weight").lower() == "bolder",
        subtle=element.get("isSubtle") is True,
    )


def _dicts(parent: Any, name: str) -> list[dict[str, Any]]:
    children = parent.get(name) if isinstance(parent, dict) else None
    return [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []


def _str(element: dict[str, Any], name: str) -> str:
    # JSON may hold lone surrogates, which no page can be encoded with.
    return str(element.get(name, "")).encode(errors="replace").decode()
