"""How each message of the demo's inbox is read, and where its reference code stands."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from webapp.demo.receiver.adaptive_cards import Card, read_card
from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.parsed_mail import Letter, read_letter
from webapp.demo.receiver.scenarios import Service

# "Reference: X" in a text, "reference": "X" in JSON, and a card's fact {"title": "Reference", "value": "X"}.
_REFERENCE = re.compile(
    r"""(?i:reference(?:[ ]code)?)
        (?: ["'*`\s\\]* [:=] ["'*`\s\\]* | :?"\s*,\s*"value"\s*:\s*" )
        ([0-9A-Z][0-9A-Z-]{3,19})(?![0-9A-Za-z])""",
    re.VERBOSE,
)


_STYLED = re.compile(r"\*([^*\n]+)\*|<([^<>|\n]+)\|([^<>|\n]+)>")


@dataclass(frozen=True)
class Piece:
    """A part of a Slack message. url: where it leads, if it is a link; whether to follow it is not known yet."""

    text: str
    is_bold: bool = False
    url: str = ""


@dataclass(frozen=True)
class Bubble:
    """A Slack message."""

    kind: ClassVar[str] = "slack"
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Call:
    """A webhook's body: indented where it is JSON."""

    kind: ClassVar[str] = "webhook"
    body: str


@dataclass(frozen=True)
class Unread:
    """A message that isn't what its service expects, as it came."""

    kind: ClassVar[str] = "unread"
    body: str


Reading = Card | Letter | Bubble | Call | Unread


def read(received: Received) -> Reading:
    """Read a message the way its service would show it."""
    match received.service:
        case Service.TEAMS:
            return read_card(_json(received.body)) or Unread(received.body)
        case Service.SLACK:
            return _bubble(_json(received.body)) or Unread(received.body)
        case Service.WEBHOOK:
            return Call(_indented(received.body))
        case Service.EMAIL:
            return read_letter(received.body) or Unread(received.body)


def find_reference(service: Service, body: str) -> str | None:
    """Find the reference code in a message's body (for e-mail: the whole MIME message)."""
    letter = read_letter(body) if service is Service.EMAIL else None
    found = _REFERENCE.search(f"{letter.subject}\n{letter.text}" if letter else body)
    return found.group(1) if found else None


def _bubble(message: Any) -> Bubble | None:
    text = message.get("text") if isinstance(message, dict) else None
    if not isinstance(text, str):
        return None
    return Bubble(tuple(_pieces(_encodable(text))))


def _pieces(text: str) -> Iterator[Piece]:
    end = 0
    for styled in _STYLED.finditer(text):
        if styled.start() > end:
            yield Piece(_unescape(text[end : styled.start()]))
        bold, url, label = styled.groups(default="")
        yield Piece(_unescape(bold or label), is_bold=bool(bold), url=_unescape(url))
        end = styled.end()
    if text[end:]:
        yield Piece(_unescape(text[end:]))


def _unescape(text: str) -> str:
    """Undo Slack's three escapes: https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _indented(body: str) -> str:
    parsed = _json(body)
    return _encodable(json.dumps(parsed, indent=2, ensure_ascii=False)) if isinstance(parsed, dict | list) else body


def _encodable(text: str) -> str:
    # JSON may hold lone surrogates, which no page can be encoded with.
    return text.encode(errors="replace").decode()
