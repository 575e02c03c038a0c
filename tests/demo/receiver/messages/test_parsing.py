"""Parsing messages and finding their reference codes."""

import time
from datetime import UTC, datetime

import pytest

from tests.channels.valid_settings import VALID_SETTINGS
from webapp.channels import CHANNELS
from webapp.channels.message import Message
from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.messages.adaptive_cards import Card, Text
from webapp.demo.receiver.messages.chats import ChatMessage, Piece
from webapp.demo.receiver.messages.hidden_secrets import hide_secrets
from webapp.demo.receiver.messages.incidents import Incident
from webapp.demo.receiver.messages.mail import ParsedMail
from webapp.demo.receiver.messages.notifications import Notification
from webapp.demo.receiver.messages.parsing import (
    ParsedMessage,
    Unrecognized,
    WebhookBody,
    find_reference,
    parse_message,
)
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.outbound import OutboundClient, Policy

CARD = '{"attachments": [{"content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Hello"}]}}]}'
DEEP = "[" * 60_000
NESTED = '{"a":' * 900 + "1" + "}" * 900
HTTP_SERVICES = [service for service in Service if service is not Service.EMAIL]


def received(service: Service, body: str) -> Received:
    return Received(
        id=1,
        received_at=datetime(2026, 11, 5, tzinfo=UTC),
        service=service,
        scenario=Scenario.WORKS,
        answered=200,
        accepted=True,
        body=body,
    )


@pytest.mark.parametrize(
    ("service", "body", "parsed"),
    [
        (Service.TEAMS, CARD, Card((Text("Hello"),))),
        (Service.SLACK, '{"text": "Hello"}', ChatMessage("slack", (Piece("Hello"),))),
        (Service.DISCORD, '{"content": "Hello"}', ChatMessage("discord", (Piece("Hello"),))),
        (Service.TELEGRAM, '{"chat_id": "1", "text": "Hello"}', ChatMessage("telegram", (Piece("Hello"),))),
        (Service.GOOGLE_CHAT, '{"text": "Hello"}', ChatMessage("google_chat", (Piece("Hello"),))),
        (Service.MATTERMOST, '{"text": "Hello"}', ChatMessage("mattermost", (Piece("Hello"),))),
        (Service.NTFY, '{"topic": "t", "message": "Hello"}', Notification("ntfy", "", "Hello")),
        (Service.PUSHOVER, '{"token": "t", "message": "Hello"}', Notification("pushover", "", "Hello")),
        (
            Service.PAGERDUTY,
            '{"event_action": "resolve", "dedup_key": "k"}',
            Incident("pagerduty", "k", "Resolved", is_closed=True),
        ),
        (
            Service.JIRA_SERVICE_MANAGEMENT,
            '{"message": "Hello", "alias": "k"}',
            Incident("jira_service_management", "k", "Open", title="Hello"),
        ),
        (Service.WEBHOOK, '{"b":1,"a":"ü"}', WebhookBody('{\n  "b": 1,\n  "a": "ü"\n}')),
        (Service.EMAIL, "Subject: x\r\n\r\nHello", ParsedMail("", "", "x", "", "Hello")),
    ],
)
def test_a_message_is_parsed_as_its_service_shows_it(service: Service, body: str, parsed: ParsedMessage) -> None:
    assert parse_message(received(service, body)) == parsed


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "null", '{"text": 1}', '{"message": {}}', DEEP, NESTED])
@pytest.mark.parametrize("service", [service for service in HTTP_SERVICES if service is not Service.WEBHOOK])
def test_a_message_that_its_service_cannot_parse_is_shown_as_received(service: Service, body: str) -> None:
    assert parse_message(received(service, body)) == Unrecognized(body)


@pytest.mark.parametrize("body", ["", "no JSON", "1", DEEP])
def test_a_webhook_without_json_is_shown_as_received(body: str) -> None:
    assert parse_message(received(Service.WEBHOOK, body)) == WebhookBody(body)


@pytest.mark.parametrize(
    ("service", "body"),
    [
        (Service.SLACK, r'{"text": "\ud800"}'),
        (Service.WEBHOOK, r'{"text": "\ud800"}'),
        (Service.DISCORD, r'{"embeds": [{"title": "\ud800", "fields": [{"name": "\ud800", "value": "\ud800"}]}]}'),
        (Service.TELEGRAM, r'{"text": "\ud800", "reply_markup": {"inline_keyboard": [[{"text": "\ud800"}]]}}'),
        (Service.PAGERDUTY, r'{"event_action": "trigger", "payload": {"custom_details": {"\ud800": "\ud800"}}}'),
        (Service.JIRA_SERVICE_MANAGEMENT, r'{"message": "\ud800", "details": {"\ud800": "\ud800"}}'),
        (Service.NTFY, r'{"message": "\ud800", "tags": ["\ud800"]}'),
        (Service.PUSHOVER, r'{"message": "\ud800"}'),
    ],
)
def test_a_lone_surrogate_is_replaced(service: Service, body: str) -> None:
    parsed = parse_message(received(service, body))
    assert not isinstance(parsed, Unrecognized)
    assert str(parsed).encode()
    assert "\\ud800" not in repr(parsed)


@pytest.mark.parametrize("service", HTTP_SERVICES)
def test_what_a_channel_sends_is_drawn(service: Service) -> None:
    sent_at = datetime(2026, 11, 3, 14, 5, 6, tzinfo=UTC)
    message = Message("alerts.test", "msg_1", "K7QM4T", "Acme", "On-call", "Ann", sent_at)
    preview = CHANNELS[service].preview(VALID_SETTINGS[service], message, OutboundClient(Policy()))
    body = hide_secrets(service, preview.parts[0].text)

    assert not isinstance(parse_message(received(service, body)), Unrecognized)
    assert find_reference(service, body) == "K7QM4T"


@pytest.mark.parametrize("service", HTTP_SERVICES)
@pytest.mark.parametrize(
    "text", ["*", "**", "[", "[a](", "<", "<a|", "\\\\", "**\\\\", "[\\\\", "https://", "](", "reference"]
)
def test_a_hostile_text_is_parsed_at_once(service: Service, text: str) -> None:
    body = text.replace("\\", "\\\\") * (60_000 // len(text))
    started = time.process_time()
    parse_message(received(service, f'{{"text": "{body}", "content": "{body}", "message": "{body}"}}'))
    find_reference(service, body)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "body",
    [
        "Reference: AC-7F3K",
        '{"data":{"reference":"AC-7F3K"}}',
        '{"facts": [{"title": "Reference", "value": "AC-7F3K"}]}',
        '{"facts": [{"title": "Reference:", "value": "AC-7F3K"}]}',
        r'{"text": "*Reference:* `AC-7F3K`\nBye"}',
        "Reference code: AC-7F3K.",
        '{"content": "**Reference:** AC-7F3K"}',
        '{"embeds": [{"fields": [{"name": "Reference", "value": "AC-7F3K", "inline": true}]}]}',
        '{"payload": {"custom_details": {"Reference": "AC-7F3K"}}}',
    ],
)
def test_a_reference_is_found_anywhere_in_the_message(body: str) -> None:
    assert find_reference(Service.SLACK, body) == "AC-7F3K"


@pytest.mark.parametrize("body", ["", "For reference, please call", '{"reference": null}', '{"a": "Reference"}, "b"'])
def test_a_text_that_only_resembles_a_reference_is_ignored(body: str) -> None:
    assert find_reference(Service.SLACK, body) is None


def test_a_reference_is_found_in_an_encoded_mail() -> None:
    # "Reference: AC-7F3K" in base64
    mime = "Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nUmVmZXJlbmNlOiBBQy03RjNL\r\n"
    assert find_reference(Service.EMAIL, mime) == "AC-7F3K"
