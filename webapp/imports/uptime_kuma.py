"""Reads the notifications in Uptime Kuma's database, kuma.db. The file is neither changed nor locked."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from webapp.imports.apprise import read_apprise_url
from webapp.imports.bounded_json import load_json
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver
from webapp.imports.file_limits import check_count, take_counted
from webapp.imports.file_values import Node, get_mapping, get_text
from webapp.imports.headers import add_header
from webapp.imports.pagerduty_server import set_server
from webapp.imports.placeholders import HIDDEN
from webapp.imports.receiver_draft import Draft, Kind, find_kind, note_known, refuse
from webapp.imports.sqlite_file import read_notifications
from webapp.imports.uptime_kuma_kinds import KINDS, NTFY_CREDENTIALS

_UNREADABLE = "Its settings in the database cannot be read."
_UNSAVED = (
    "Uptime Kuma is running, or was not stopped cleanly: its latest changes are in kuma.db-wal and are not read. Stop "
    "it, and import the file again."
)


def read_database(path: Path) -> FoundFile:
    """Return the notifications of a database. Raises `FileUnreadable`."""
    rows = read_notifications(path)
    check_count(len(rows))
    found = take_counted(each for name, config in rows for each in _read_row(name, config))
    wal = path.with_name(f"{path.name}-wal")
    notes = (_UNSAVED,) if wal.is_file() and wal.stat().st_size else ()
    return FoundFile(FileFormat.UPTIME_KUMA, tuple(found), notes)


def _read_row(name: str, text: str | None) -> Iterator[FoundReceiver]:
    config = _load(text or "")
    title = name.strip() or get_text(config.get("name")) or "Notification"
    word = get_text(config.get("type"))
    if word == "apprise":
        yield from read_apprise_url(title, get_text(config.get("appriseURL")))
    elif not word:
        yield refuse(title, Kind("Notification"), _UNREADABLE)
    else:
        yield _read_config(title, find_kind(KINDS, word), config)


def _load(text: str) -> Mapping[str, Node]:
    try:
        return get_mapping(load_json(text))
    except FileUnreadable:
        return {}


def _read_config(name: str, kind: Kind, config: Mapping[str, Node]) -> FoundReceiver:
    if kind.unusable is not None:
        return refuse(name, kind)
    if kind.channel == "webhook" and get_text(config.get("httpMethod")).lower() == "get":
        return refuse(name, kind, "Alertcheck sends a webhook with POST or PUT only, not with GET.")
    draft = Draft()
    for field, key in kind.keys.items():
        draft.put(field, config.get(key))
    note_known(draft, kind, config)
    _adapt(draft, kind, config)
    return draft.finish(name, kind)


def _adapt(draft: Draft, kind: Kind, config: Mapping[str, Node]) -> None:
    """Add what a single channel has beside its own keys."""
    if kind.channel == "discord":
        _read_discord(draft, config)
    elif kind.channel == "ntfy":
        credentials = NTFY_CREDENTIALS.get(get_text(config.get("ntfyAuthenticationMethod")), {})
        for field, key in credentials.items():
            draft.put(field, config.get(key) or HIDDEN)
    elif kind.channel == "pagerduty":
        set_server(draft)
    elif kind.channel == "webhook":
        _read_webhook(draft, config)


def _read_discord(draft: Draft, config: Mapping[str, Node]) -> None:
    where = get_text(config.get("discordChannelType"))
    if where == "postToThread":
        draft.put("thread_id", config.get("threadId"))
    elif where == "createNewForumPost":
        draft.note("The new post in a forum is left out: enter the thread that the message goes to.")


def _read_webhook(draft: Draft, config: Mapping[str, Node]) -> None:
    if get_text(config.get("webhookContentType")) in ("form-data", "custom"):
        draft.note("The form of the body is left out: Alertcheck sends its own JSON.")
    text = get_text(config.get("webhookAdditionalHeaders"))
    headers = _load(text) if text else {}
    if text and not headers:
        draft.missing.add("headers")
    for name, value in headers.items():
        add_header(draft, name, get_text(value))
