"""Reads YAML within limits, without making anything but mappings, lists and texts.

It builds the values from the parser's events, so no tag makes an object and `no`, `010` and 2026-01-01 stay texts. An
alias counts as many values as its anchor has, before anything uses it: aliases of aliases cannot multiply.
"""

import re
from collections.abc import Container, Iterator

import yaml

from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_limits import MAX_DEPTH, MAX_NODES, TOO_DEEP, TOO_MANY
from webapp.imports.file_values import Node
from webapp.imports.placeholders import HIDDEN

# libyaml, which is ten times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_STANDARD = "tag:yaml.org,2002:"
_SCALARS = frozenset(
    _STANDARD + name for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_COLLECTIONS = frozenset(_STANDARD + name for name in ("seq", "map"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_MERGE = "<<"

# What newer versions of libyaml say of a file that is nested far too deep, before any event of it is read.
_LIBRARY_LIMIT = "exceeded maximum nesting depth"

# Lines that begin with %. The parser compares each directive with all before it.
MAX_DIRECTIVES = 100
_DIRECTIVE = re.compile("^%", re.MULTILINE)


def load_yaml(text: str) -> Node:
    """Return the only document of the text. Raises `FileUnreadable`, which names no more than a line."""
    if len(_DIRECTIVE.findall(text)) > MAX_DIRECTIVES:
        raise FileUnreadable(f"The file has more than {MAX_DIRECTIVES} lines that begin with %. Remove them.")
    reader = _Reader(text)
    try:
        documents = [reader.read_document() for _ in reader.documents()]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, is_too_deep = mark.line + 1 if mark else reader.line, error.problem == _LIBRARY_LIMIT
    except yaml.YAMLError:  # a character that no YAML file may contain
        line, is_too_deep = reader.line, False
    else:
        return _pick_document(documents)
    # Outside of the handlers, because the parser's errors quote the file.
    if is_too_deep:
        raise FileUnreadable(TOO_DEEP)
    raise FileUnreadable(f"The file is not valid YAML: check line {line}, its indentation and its quotes.")


def _pick_document(documents: list[Node]) -> Node:
    with_content = [document for document in documents if document is not None]
    if len(with_content) > 1:
        raise FileUnreadable("The file has several YAML documents, separated by ---. Import one at a time.")
    return with_content[0] if with_content else None


class _Reader:
    """Builds values from events.

    line: of the event that was read last. nodes: values so far, including those that aliases repeat.
    anchors: each anchor's value and its number of values.
    """

    def __init__(self, text: str) -> None:
        self.line = 1
        self.nodes = 0
        self.anchors: dict[str, tuple[Node, int]] = {}
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_LOADER))

    def documents(self) -> Iterator[yaml.Event]:
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors = {}
                yield event

    def read_document(self) -> Node:
        return self._read(self._next(), 0)

    def _next(self) -> yaml.Event:
        event = next(self._events)
        if event.start_mark is not None:
            self.line = event.start_mark.line + 1
        return event

    def _read(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FileUnreadable(TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            return self._repeat(event.anchor)
        before = self.nodes
        self._count(1)
        node = self._build(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self.anchors[anchor] = (node, self.nodes - before)
        return node

    def _repeat(self, anchor: str | None) -> Node:
        if anchor is None or anchor not in self.anchors:
            raise FileUnreadable(f"Line {self.line} repeats a value that is not complete before it.")
        node, nodes = self.anchors[anchor]
        self._count(nodes)
        return node

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise FileUnreadable(TOO_MANY)

    def _build(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._read_scalar(event)
        self._check_tag(event, _COLLECTIONS)
        return self._read_mapping(depth) if isinstance(event, yaml.MappingStartEvent) else self._read_list(depth)

    def _read_scalar(self, event: yaml.ScalarEvent) -> str | None:
        tag = event.tag or ""
        if tag.startswith("!") and tag != "!":
            return HIDDEN  # another program would fetch it: `!vault`, `!include`
        self._check_tag(event, _SCALARS)
        return None if event.implicit[0] and event.value in _NULLS else event.value

    def _check_tag(self, event: yaml.Event, known: frozenset[str]) -> None:
        if getattr(event, "tag", None) not in (None, "!", *known):
            raise FileUnreadable(f"Line {self.line} has a tag that Alertcheck does not read. Write its value instead.")

    def _read_list(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._read(event, depth + 1))
        return items

    def _read_mapping(self, depth: int) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._read_key(event, depth, own)
            value = self._read(self._next(), depth + 1)
            if key == _MERGE and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                self._merge(value, merged)
            else:
                own[key] = value
        return merged | own

    def _read_key(self, event: yaml.Event, depth: int, used: Container[str]) -> str:
        line = self.line
        key = self._read(event, depth + 1)
        if not isinstance(key, str):
            raise FileUnreadable(f"Line {line} has a key that is not a word.")
        if key in used:
            raise FileUnreadable(f"Line {line} repeats a key of the same block. Remove one of the two.")
        return key

    def _merge(self, value: Node, merged: dict[str, Node]) -> None:
        """Add what `<<` adds: of several mappings, an earlier one wins. Copies none, which would take minutes."""
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise FileUnreadable(f"The << before line {self.line} adds something that is not a mapping.")
            for key, item in part.items():
                merged.setdefault(key, item)
