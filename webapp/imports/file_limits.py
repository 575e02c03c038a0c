"""How much of a file is read: its size, its depth, its values and its receivers."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_values import Node

T = TypeVar("T")

# A file with a thousand receivers has about 20,000 values.
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_RECEIVERS = 1000

TOO_DEEP = f"The file is nested more than {MAX_DEPTH} levels deep. Remove what is not about receivers."
TOO_MANY = f"The file has more than {MAX_NODES:,} values. Remove what is not about receivers."


def count_nodes(node: Node) -> int:
    """Return the number of values in a value, itself included."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + sum(map(count_nodes, children))


def check_count(receivers: int) -> None:
    """Raise `FileUnreadable` if a file has too many receivers."""
    if receivers > MAX_RECEIVERS:
        raise FileUnreadable(f"The file has more than {MAX_RECEIVERS:,} receivers. Split it into several files.")


def take_counted(receivers: Iterable[T]) -> list[T]:
    """Collect the receivers. Raises `FileUnreadable` as soon as there are too many: one URL can make thousands."""
    found = list(islice(receivers, MAX_RECEIVERS + 1))
    check_count(len(found))
    return found
