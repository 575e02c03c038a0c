"""Parses the messages of the demo's inbox for display, and finds their reference codes."""

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.messages.adaptive_cards import Card, parse_card
from webapp.demo.receiver.messages.chats import ChatMessage, parse_chat
from webapp.demo.receiver.messages.incidents import Incident, parse_incident
from webapp.demo.receiver.messages.json_text import make_encodable, parse_json
from webapp.demo.receiver.messages.mail import ParsedMail, parse_mail
from webapp.demo.receiver.messages.notifications import Notification, parse_ntfy, parse_pushover
from webapp.demo.receiver.scenarios import Service

# Matches "Reference: X" in text, "reference": "X" in JSON, and a card's fact {"title": "Reference", "value": "X"}.
_REFERENCE = re.compile(
    r"""(?i:reference(?:[ ]code)?)
        (?: ["'*`\s\\]* [:=] ["'*`\s\\]* | :?"\s*,\s*"value"\s*:\s*" )
        ([0-9A-Z][0-9A-Z-]{3,19})(?![0-9A-Za-z])""",
    re.VERBOSE,
)


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


ParsedMessage = Card | ParsedMail | ChatMessage | Incident | Notification | WebhookBody | Unrecognized


def parse_message(received: Received) -> ParsedMessage:
    """Parse a message into the form in which its service would show it."""
    if received.service is Service.WEBHOOK:
        return WebhookBody(_indent(received.body))
    return _parse(received) or Unrecognized(received.body)


def _parse(received: Received) -> ParsedMessage | None:
    body = received.body
    match received.service:
        case Service.TEAMS:
            return parse_card(parse_json(body))
        case Service.EMAIL:
            return parse_mail(body)
        case Service.NTFY:
            return parse_ntfy(body)
        case Service.PUSHOVER:
            return parse_pushover(body)
        case Service.PAGERDUTY | Service.JIRA_SERVICE_MANAGEMENT:
            return parse_incident(received.service, body, received.closed)
    return parse_chat(received.service, body)


def read_text(service: Service, body: str) -> str:
    """Return the text of a message's body (for email: of the whole MIME message) without its encoding."""
    mail = parse_mail(body) if service is Service.EMAIL else None
    return f"{mail.subject}\n{mail.text}" if mail else body


def find_reference(service: Service, body: str) -> str | None:
    """Find the reference code in a message's body (for email: the whole MIME message)."""
    found = _REFERENCE.search(read_text(service, body))
    return found.group(1) if found else None


def _indent(body: str) -> str:
    parsed = parse_json(body)
    if not isinstance(parsed, dict | list):
        return body
    try:
        return make_encodable(json.dumps(parsed, indent=2, ensure_ascii=False))
    except RecursionError:
        return body
