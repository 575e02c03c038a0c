"""Reads Apprise's configuration: a list of URLs, one a line, or the same as YAML.

Source: appriseit.com, "Text configuration" and "YAML configuration".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from webapp.imports.apprise_kinds import KINDS, NATIVE_HOSTS, NATIVE_SUFFIXES
from webapp.imports.apprise_services import SERVICES, USED
from webapp.imports.apprise_urls import AppriseUrl, parse_url
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver
from webapp.imports.file_limits import check_count, take_counted
from webapp.imports.file_values import Node, get_list, get_mapping, get_text
from webapp.imports.receiver_draft import Draft, Kind, NotSupported, describe_keys, find_kind, number_names, refuse
from webapp.text.counting import count

# No part of a pattern can match what the part before it matches: a long line would take minutes.
_LINE = re.compile(r"(?:(?P<tags>[\w, \t:-]*)=)?\s*(?P<url>[A-Za-z0-9]{1,32}://.*)", re.DOTALL)
_NAME = re.compile(r"\s#\s")
_GROUP = re.compile(r"[\w, \t-]+=[\w, \t-]+")
_YAML = re.compile(r"^urls[ \t]*:", re.MULTILINE)
_COMMENTS = ("#", ";")
_INCLUDE = re.compile(r"include\s", re.IGNORECASE)

_UNKNOWN_ADDRESS = "This is a plain web address. For a webhook, write jsons:// instead of https://."
_VERIFY = "verify=no is left out: Alertcheck always checks the receiver's certificate."


@dataclass
class _Entries:
    """The URLs of a file with the name that it has for each, and what is left out."""

    urls: list[tuple[str, str]] = field(default_factory=list, repr=False)
    includes: int = 0
    groups: int = 0
    unreadable: int = 0


def read_apprise_text(text: str) -> FoundFile:
    """Return the receivers of a list of URLs. Raises `FileUnreadable`."""
    entries = _Entries()
    for line in map(str.strip, text.split("\n")):
        found = _LINE.fullmatch(line)
        if not line or line.startswith(_COMMENTS):
            continue
        if found is not None:
            url, _, name = _NAME.sub("\n", found["url"], count=1).partition("\n")
            entries.urls.append((name or found["tags"] or "", url))
        elif _INCLUDE.match(line):
            entries.includes += 1
        elif _GROUP.fullmatch(line):
            entries.groups += 1
        else:
            entries.unreadable += 1
    return _make_file(entries)


def read_apprise_yaml(root: Node) -> FoundFile:
    """Return the receivers of a configuration in YAML. Raises `FileUnreadable`."""
    entries = _Entries(includes=len(get_list(get_mapping(root).get("include"))))
    for entry in get_list(get_mapping(root).get("urls")):
        urls = list(_read_entry(entry))
        entries.urls += urls
        entries.unreadable += not urls
    return _make_file(entries)


def is_apprise_yaml(text: str) -> bool:
    """Check whether a configuration is written in YAML."""
    return _YAML.search(text) is not None


def is_apprise_text(text: str) -> bool:
    """Check whether the first line, blank ones and comments aside, belongs to a list of URLs."""
    lines = (line.strip() for line in text.split("\n"))
    first = next((line for line in lines if line and not line.startswith(_COMMENTS)), "")
    return _LINE.fullmatch(first) is not None or _INCLUDE.match(first) is not None


def _read_entry(entry: Node) -> Iterator[tuple[str, str]]:
    """Return an entry's URLs with their names. It is a URL, or a mapping from a URL to its settings, or `url: ...`."""
    if isinstance(entry, str) and "://" in entry:
        yield "", entry
    for key, value in get_mapping(entry).items():
        if "://" in key:
            variants = get_list(value) or [value]
            yield from ((_get_name(variant), _add_options(key, variant)) for variant in variants)
        elif key == "url":
            yield _get_name(entry), get_text(value)


def _get_name(settings: Node) -> str:
    tags = get_mapping(settings).get("tag") or get_mapping(settings).get("tags")
    return get_text(tags) or ", ".join(filter(None, map(get_text, get_list(tags))))


def _add_options(url: str, settings: Node) -> str:
    """Return a URL with the recipients that YAML has beside it."""
    to = get_text(get_mapping(settings).get("to"))
    return f"{url}{'&' if '?' in url else '?'}to={to}" if to else url


def _make_file(entries: _Entries) -> FoundFile:
    check_count(len(entries.urls))
    found = take_counted(each for name, url in entries.urls for each in read_apprise_url(name.strip(" \t,"), url))
    if not found:
        raise FileUnreadable("The file has no Apprise URL, such as slack://… or json://….")
    names = number_names([receiver.name for receiver in found])
    receivers = (replace(receiver, name=name) for receiver, name in zip(found, names, strict=True))
    return FoundFile(FileFormat.APPRISE, tuple(receivers), tuple(_describe_rest(entries)))


def _describe_rest(entries: _Entries) -> Iterator[str]:
    if entries.includes:
        yield f"{count(entries.includes, 'include')} left out: an import opens no other file. Import it as well."
    if entries.groups:
        yield f"{count(entries.groups, 'group')} of tags left out."
    if entries.unreadable:
        yield f"{count(entries.unreadable, 'line')} left out: not an Apprise URL."


def read_apprise_url(name: str, text: str) -> Iterator[FoundReceiver]:
    """Return the receivers of a URL, which may have several. name: empty if the file has none."""
    url = parse_url(text)
    if url is None:
        yield refuse(name or "Apprise URL", Kind("Apprise URL"), "This is not an Apprise URL.")
        return
    native = _find_native(url)
    kind = find_kind(KINDS, native or url.schema)
    if url.schema == "https" and native is None:
        yield refuse(name or "Web address", kind, _UNKNOWN_ADDRESS)
        return
    if kind.unusable is not None or kind.channel is None:
        yield refuse(name or kind.label, kind)
        return
    try:
        drafts = [_use_address(text)] if native and kind.needed == {"address"} else SERVICES[kind.channel](url)
    except NotSupported as refusal:
        yield refuse(name or kind.label, kind, str(refusal))
        return
    for draft in drafts:
        _note_options(draft, url)
        yield draft.finish(name or kind.label, kind)


def _find_native(url: AppriseUrl) -> str | None:
    """Return the schema of the service whose own web address this is, or None."""
    host = url.host.lower()
    if url.schema != "https":
        return None
    suffixes = (schema for suffix, schema in NATIVE_SUFFIXES.items() if host.endswith(suffix))
    return NATIVE_HOSTS.get(host) or next(suffixes, None)


def _use_address(address: str) -> Draft:
    draft = Draft()
    draft.put("address", address)
    return draft


def _note_options(draft: Draft, url: AppriseUrl) -> None:
    if url.get("verify").lower() in ("no", "false", "0", "off"):
        draft.note(_VERIFY)
    left = sorted(url.options.keys() - USED - {"verify"})
    if left and url.schema != "https":
        draft.note(f"Left out: {', '.join(describe_keys(left))}. Alertcheck sends its own message.")
