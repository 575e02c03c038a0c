"""Collects what a file says about one receiver."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from webapp.imports.found import FoundReceiver, Unusable
from webapp.imports.nodes import Node, get_text
from webapp.imports.references import is_reference, is_template

# A word that a sentence may repeat: no secret is so short and has only letters.
_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]{0,29}")


@dataclass(frozen=True)
class Kind:
    """How one kind of receiver of another tool becomes a destination.

    label: what people call it. channel: the channel's name, or None if there is none for it.
    keys: the file's key of each of the channel's fields. needed: the fields no destination can do without.
    noted: a sentence for each key whose value is left out and that people may miss.
    unusable, reason: why no such receiver can be imported.
    """

    label: str
    channel: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    noted: Mapping[str, str] = field(default_factory=dict)
    unusable: Unusable | None = None
    reason: str = ""


@dataclass
class Draft:
    """A receiver that is being read. settings: secret."""

    settings: dict[str, str] = field(default_factory=dict, repr=False)
    missing: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)

    def put(self, name: str, node: Node) -> None:
        """Set a field, unless the value is blank. A value that is not in the file makes the field missing."""
        text = get_text(node)
        if is_template(text):
            self.note("A value that is computed from each alert is left out. Enter a fixed one.")
        if is_reference(text):
            self.missing.add(name)
        elif text:
            self.settings[name] = text

    def note(self, sentence: str) -> None:
        """Say what is left out, once."""
        if sentence not in self.dropped:
            self.dropped.append(sentence)

    def finish(self, name: str, kind: Kind) -> FoundReceiver:
        """Return the receiver. The fields that it needs and does not have are missing."""
        absent = kind.needed - self.settings.keys()
        return FoundReceiver(
            name, kind.channel, self.settings, frozenset(self.missing | absent), dropped=tuple(self.dropped)
        )


def refuse(name: str, kind: Kind, reason: str = "") -> FoundReceiver:
    """Return a receiver that cannot be imported, without its settings. reason: unless the kind has one."""
    unusable = kind.unusable or Unusable.NOT_SUPPORTED
    return FoundReceiver(name, kind.channel, unusable=unusable, reason=kind.reason or reason)


def make_unsupported(label: str) -> Kind:
    """Return a kind for which there is no channel."""
    return Kind(label, unusable=Unusable.NOT_SUPPORTED, reason=f"Alertcheck has no channel for {label}.")


def find_kind(kinds: Mapping[str, Kind], word: str) -> Kind:
    """Return the kind that a file calls by this word."""
    known = kinds.get(word)
    return known or make_unsupported(f"“{word}”" if _is_word(word) else "this type of receiver")


def note_unused(draft: Draft, kind: Kind, config: Mapping[str, Node], used: Collection[str]) -> None:
    """Say which keys of a receiver have no part in the destination. Values are never repeated."""
    for key, sentence in kind.noted.items():
        if _has_value(config.get(key)):
            draft.note(sentence)
    left = sorted(key for key in config if key not in used and key not in kind.noted and _has_value(config[key]))
    if left:
        draft.note(f"Left out: {', '.join(describe_keys(left))}. Alertcheck sends its own message.")


def describe_keys(keys: Iterable[str]) -> Iterable[str]:
    """Return keys that can be repeated. One that does not look like a word of a format may be a misplaced secret."""
    return list(filter(_is_word, keys)) or ["settings that Alertcheck does not know"]


def name_receivers(name: str, labels: list[str]) -> list[str]:
    """Return a name for each of a receiver's integrations, whose labels are given, that tells them apart."""
    if len(set(labels)) > 1:
        return _number([f"{name}: {label}" for label in labels])
    return _number([name] * len(labels))


def _number(names: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    numbered = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        numbered.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return numbered


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


def _has_value(node: Node) -> bool:
    return node not in (None, "", [], {})
