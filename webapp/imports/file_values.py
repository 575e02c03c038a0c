"""The values of a file that was read: mappings, lists and texts. A number stays the text that the file has."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Node: TypeAlias = "str | list[Node] | dict[str, Node] | None"


def get_text(node: Node) -> str:
    """Return a text without the space around it, or "" for anything else."""
    return node.strip() if isinstance(node, str) else ""


def get_mapping(node: Node) -> Mapping[str, Node]:
    """Return a mapping, or an empty one for anything else."""
    return node if isinstance(node, dict) else {}


def get_list(node: Node) -> Sequence[Node]:
    """Return a list, or an empty one for anything else."""
    return node if isinstance(node, list) else ()


def get_mappings(node: Node) -> Iterator[Mapping[str, Node]]:
    """Return the mappings in a list. Anything else in it is passed over."""
    return (item for item in get_list(node) if isinstance(item, dict))
