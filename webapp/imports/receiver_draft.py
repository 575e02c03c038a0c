"""Collects what a file says about one receiver."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from webapp.imports.file_contents import FoundReceiver, Unusable
from webapp.imports.file_values import Node, get_text
from webapp.imports.placeholders import is_reference, is_template

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


class NotSupported(Exception):
    """This use of a service is not supported. The text is a sentence for the table."""


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
    return FoundReceiver(name, kind.channel, unusable=unusable, reason=reason or kind.reason)


def make_unsupported(label: str) -> Kind:
    """Return a kind for which there is no channel."""
    return Kind(label, unusable=Unusable.NOT_SUPPORTED, reason=f"Alertcheck has no channel for {label}.")


def find_kind(kinds: Mapping[str, Kind], word: str) -> Kind:
    """Return the kind that a file calls by this word."""
    known = kinds.get(word)
    return known or make_unsupported(word if is_word(word) else "this type of receiver")


def note_unused(draft: Draft, kind: Kind, config: Mapping[str, Node], used: Collection[str]) -> None:
    """Say which keys of a receiver have no part in the destination. Values are never repeated."""
    note_known(draft, kind, config)
    left = sorted(key for key in config if key not in used and key not in kind.noted and _has_value(config[key]))
    if left:
        draft.note(f"Left out: {', '.join(describe_keys(left))}. Alertcheck sends its own message.")


def note_known(draft: Draft, kind: Kind, config: Mapping[str, Node]) -> None:
    """Say what is left out that people may miss."""
    for key, sentence in kind.noted.items():
        if _has_value(config.get(key)):
            draft.note(sentence)


def describe_keys(keys: Iterable[str]) -> Iterable[str]:
    """Return keys that can be repeated. One that does not look like a word of a format may be a misplaced secret."""
    return list(filter(is_word, keys)) or ["settings that Alertcheck does not know"]


def name_receivers(name: str, labels: list[str]) -> list[str]:
    """Return a name for each of a receiver's integrations, whose labels are given, that tells them apart."""
    if len(set(labels)) > 1:
        return number_names([f"{name}: {label}" for label in labels])
    return number_names([name] * len(labels))


def number_names(names: list[str]) -> list[str]:
    """Return the names, with a number behind each that was there before."""
    counts: dict[str, int] = {}
    numbered = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        numbered.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return numbered


def is_word(text: str) -> bool:
    """Check whether a text is so short and plain that it is not a secret, so that a sentence may repeat it."""
    return _WORD.fullmatch(text) is not None


def _has_value(node: Node) -> bool:
    return node not in (None, "", [], {})
