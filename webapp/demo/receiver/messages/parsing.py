"""Parses the messages of the demo's inbox for display, and finds their reference codes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.messages.adaptive_cards import Card, parse_card
from webapp.demo.receiver.messages.mail import ParsedMail, parse_mail
from webapp.demo.receiver.scenarios import Service

# Matches "Reference: X" in text, "reference": "X" in JSON, and a card's fact {"title": "Reference", "value": "X"}.
_REFERENCE = re.compile(
    r"""(?i:reference(?:[ ]code)?)
        (?: ["'*`\s\\]* [:=] ["'*`\s\\]* | :?"\s*,\s*"value"\s*:\s*" )
        ([0-9A-Z][0-9A-Z-]{3,19})(?![0-9A-Za-z])""",
    re.VERBOSE,
)


_STYLED = re.compile(r"\*([^*\n]+)\*|<([^<>|\n]+)\|([^<>|\n]+)>")


@dataclass(frozen=True)
class SlackText:
    """A part of a Slack message. url: the address of a link. The page decides whether to show it as a link."""

    text: str
    is_bold: bool = False
    url: str = ""


@dataclass(frozen=True)
class SlackMessage:
    """A Slack message as a sequence of texts."""

    kind: ClassVar[str] = "slack"
    pieces: tuple[SlackText, ...]


@dataclass(frozen=True)
class WebhookBody:
    """A webhook's body, indented if it is JSON."""

    kind: ClassVar[str] = "webhook"
    body: str


@dataclass(frozen=True)
class Unrecognized:
    """A message that its service would not understand, unchanged."""

    kind: ClassVar[str] = "unrecognized"
    body: str


ParsedMessage = Card | ParsedMail | SlackMessage | WebhookBody | Unrecognized


def parse_message(received: Received) -> ParsedMessage:
    """Parse a message into the form in which its service would show it."""
    match received.service:
        case Service.TEAMS:
            return parse_card(_parse_json(received.body)) or Unrecognized(received.body)
        case Service.SLACK:
            return _parse_slack(_parse_json(received.body)) or Unrecognized(received.body)
        case Service.EMAIL:
            return parse_mail(received.body) or Unrecognized(received.body)
    return WebhookBody(_indent(received.body))


def find_reference(service: Service, body: str) -> str | None:
    """Find the reference code in a message's body (for email: the whole MIME message)."""
    mail = parse_mail(body) if service is Service.EMAIL else None
    found = _REFERENCE.search(f"{mail.subject}\n{mail.text}" if mail else body)
    return found.group(1) if found else None


def _parse_slack(message: Any) -> SlackMessage | None:
    text = message.get("text") if isinstance(message, dict) else None
    if not isinstance(text, str):
        return None
    return SlackMessage(tuple(_split(_make_encodable(text))))


def _split(text: str) -> Iterator[SlackText]:
    end = 0
    for styled in _STYLED.finditer(text):
        if styled.start() > end:
            yield SlackText(_unescape(text[end : styled.start()]))
        bold, url, label = styled.groups(default="")
        yield SlackText(_unescape(bold or label), is_bold=bool(bold), url=_unescape(url))
        end = styled.end()
    if text[end:]:
        yield SlackText(_unescape(text[end:]))


def _unescape(text: str) -> str:
    """Undo Slack's three escapes: https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _parse_json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _indent(body: str) -> str:
    parsed = _parse_json(body)
    if not isinstance(parsed, dict | list):
        return body
    return _make_encodable(json.dumps(parsed, indent=2, ensure_ascii=False))


def _make_encodable(text: str) -> str:
    # JSON may contain lone surrogates, which cannot be encoded in a page.
    return text.encode(errors="replace").decode()
