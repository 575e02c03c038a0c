"""Reads the file in which Alertcheck exports a workspace's destinations: their settings without the secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from webapp.imports.exported_drills import KEYS, read_drills
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver
from webapp.imports.file_limits import check_count
from webapp.imports.file_values import Node, get_list, get_mapping, get_mappings, get_text
from webapp.imports.receiver_draft import Draft, Kind, describe_keys, is_word
from webapp.text.tags import SEPARATOR, TagsInvalid, read_tags

VERSION = "1"
VERSION_KEY = "alertcheck"

# What an export says about a destination. `host` is only there to be read.
_KEYS = {"name", "type", "enabled", "host", "settings", "needs", "tags", *KEYS}


def read_export(root: Node) -> FoundFile:
    """Return the destinations of an export. Raises `FileUnreadable`."""
    if get_text(get_mapping(root).get(VERSION_KEY)) != VERSION:
        raise FileUnreadable("This export is of another version of Alertcheck. Export the destinations again.")
    destinations = list(get_mappings(get_mapping(root).get("destinations")))
    check_count(len(destinations))
    return FoundFile(FileFormat.ALERTCHECK, tuple(_read_destinations(destinations)))


def _read_destinations(destinations: list[Mapping[str, Node]]) -> Iterator[FoundReceiver]:
    for number, destination in enumerate(destinations, start=1):
        channel = get_text(destination.get("type"))
        draft = Draft()
        for name, value in get_mapping(destination.get("settings")).items():
            draft.put(name, value)
        draft.missing |= set(filter(is_word, map(get_text, get_list(destination.get("needs")))))
        name = get_text(destination.get("name")) or f"Destination {number}"
        tags, drills = _read_tags(destination.get("tags"), draft), read_drills(destination, draft)
        _note_unknown(destination, draft)
        receiver = draft.finish(name, Kind("", channel if is_word(channel) else None))
        yield replace(receiver, is_enabled=get_text(destination.get("enabled")) != "false", tags=tags, drills=drills)


def _note_unknown(destination: Mapping[str, Node], draft: Draft) -> None:
    if unknown := sorted(destination.keys() - _KEYS):
        draft.note(f"Left out: {', '.join(describe_keys(unknown))}. This version of Alertcheck does not know it.")


def _read_tags(node: Node, draft: Draft) -> tuple[str, ...]:
    try:
        return read_tags(SEPARATOR.join(map(get_text, get_list(node))))
    except TagsInvalid as reason:
        draft.note(f"Its tags are left out. {reason}")
        return ()
