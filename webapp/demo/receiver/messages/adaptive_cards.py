"""Parses the Adaptive Card of a Teams message into the texts, facts and buttons that its reader sees.

Element names: https://adaptivecards.io/explorer/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from webapp.demo.receiver.messages.json_text import find_dicts, find_text

# Levels of nesting. Anyone can send a card to the receiver, with any nesting.
MAX_DEPTH = 10
_LARGE = ("large", "extralarge")


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text."""

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
    """A button that opens an address. The page decides whether to show it as a link."""

    kind: ClassVar[str] = "button"
    title: str
    url: str


@dataclass(frozen=True)
class UnsupportedElement:
    """An element of a type that the inbox does not show."""

    kind: ClassVar[str] = "unsupported"
    type: str


Block = Text | CardFacts | Button | UnsupportedElement


@dataclass(frozen=True)
class Card:
    """An Adaptive Card as a flat list of blocks."""

    kind: ClassVar[str] = "teams"
    blocks: tuple[Block, ...]


def parse_card(message: Any) -> Card | None:
    """Convert the parsed JSON of a Teams message. Returns None if it contains no Adaptive Card."""
    for attachment in find_dicts(message, "attachments"):
        content = attachment.get("content")
        if isinstance(content, dict) and content.get("type") == "AdaptiveCard":
            return Card((*_blocks(content, "body"), *_blocks(content, "actions")))
    return None


def _blocks(parent: dict[str, Any], name: str, depth: int = 0) -> Iterator[Block]:
    if depth == MAX_DEPTH:
        return
    for element in find_dicts(parent, name):
        match element.get("type"):
            case "TextBlock":
                yield _text(element)
            case "FactSet":
                yield CardFacts(
                    tuple((find_text(fact, "title"), find_text(fact, "value")) for fact in find_dicts(element, "facts"))
                )
            case "Action.OpenUrl":
                yield Button(find_text(element, "title"), find_text(element, "url"))
            case "Container" | "Column":
                yield from _blocks(element, "items", depth + 1)
            case "ColumnSet":
                yield from _blocks(element, "columns", depth + 1)
            case _:
                yield UnsupportedElement(find_text(element, "type") or "unknown element")


def _text(element: dict[str, Any]) -> Text:
    return Text(
        find_text(element, "text"),
        large=find_text(element, "size").lower() in _LARGE,
        strong=find_text(element, "weight").lower() == "bolder",
        subtle=element.get("isSubtle") is True,
    )
