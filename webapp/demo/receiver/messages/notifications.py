"""Parses the notifications of ntfy and Pushover.

Sources: docs.ntfy.sh, "Publish as JSON"; pushover.net/api, "Pushing Messages".
"""

from dataclasses import dataclass, field
from typing import Any

from webapp.demo.receiver.messages.json_text import find_dicts, find_text, make_encodable, parse_json, parse_object
from webapp.demo.receiver.scenarios import Service

_NTFY_PRIORITIES = {"1": "Lowest priority", "2": "Low priority", "4": "High priority", "5": "Highest priority"}
_PUSHOVER_PRIORITIES = {
    "-2": "Lowest priority",
    "-1": "Low priority",
    "1": "High priority",
    "2": "Emergency: repeated until somebody confirms it",
}


@dataclass(frozen=True)
class Notification:
    """What a phone shows.

    kind: the service. level: words about a priority that is not the usual one.
    links: each with its words. The page decides whether to show one as a link.
    """

    kind: str
    title: str
    text: str
    level: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def parse_ntfy(body: str) -> Notification | None:
    """Parse a message to ntfy. Returns None if it has neither a title nor a text."""
    message: Any = parse_json(body)
    if not isinstance(message, dict) or not (find_text(message, "title") or find_text(message, "message")):
        return None
    tags = message.get("tags")
    click = find_text(message, "click")
    actions = [(find_text(action, "label"), find_text(action, "url")) for action in find_dicts(message, "actions")]
    return Notification(
        Service.NTFY,
        find_text(message, "title"),
        find_text(message, "message"),
        _NTFY_PRIORITIES.get(find_text(message, "priority"), ""),
        tuple(make_encodable(tag) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        tuple(([("Open", click)] if click else []) + actions),
    )


def parse_pushover(body: str) -> Notification | None:
    """Parse a message to Pushover. Returns None if it has no text."""
    message = parse_object(body)
    if not find_text(message, "message"):
        return None
    url = find_text(message, "url")
    return Notification(
        Service.PUSHOVER,
        find_text(message, "title"),
        find_text(message, "message"),
        _PUSHOVER_PRIORITIES.get(find_text(message, "priority"), ""),
        links=((find_text(message, "url_title") or url, url),) if url else (),
    )
