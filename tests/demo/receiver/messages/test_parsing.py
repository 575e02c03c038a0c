"""Parsing messages and finding their reference codes."""

from datetime import UTC, datetime

import pytest

from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.messages.adaptive_cards import Card, Text
from webapp.demo.receiver.messages.mail import ParsedMail
from webapp.demo.receiver.messages.parsing import (
    ParsedMessage,
    SlackMessage,
    SlackText,
    Unrecognized,
    WebhookBody,
    find_reference,
    parse_message,
)
from webapp.demo.receiver.scenarios import Scenario, Service

CARD = '{"attachments": [{"content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Hello"}]}}]}'
SEE = SlackMessage((SlackText("See", url="https://a.b/?c&d"), SlackText(" <!here>")))
DEEP = "[" * 60_000


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
        (Service.SLACK, '{"text": "Hello"}', SlackMessage((SlackText("Hello"),))),
        (
            Service.SLACK,
            '{"text": "*Who:* a &amp;lt; b"}',
            SlackMessage((SlackText("Who:", is_bold=True), SlackText(" a &lt; b"))),
        ),
        (Service.SLACK, '{"text": "<https://a.b/?c&amp;d|See> <!here>"}', SEE),
        (Service.WEBHOOK, '{"b":1,"a":"ü"}', WebhookBody('{\n  "b": 1,\n  "a": "ü"\n}')),
        (Service.EMAIL, "Subject: x\r\n\r\nHello", ParsedMail("", "", "x", "", "Hello")),
    ],
)
def test_a_message_is_parsed_as_its_service_shows_it(service: Service, body: str, parsed: ParsedMessage) -> None:
    assert parse_message(received(service, body)) == parsed


@pytest.mark.parametrize("body", ["", "no JSON", "[]", '{"text": 1}', DEEP])
@pytest.mark.parametrize("service", [Service.TEAMS, Service.SLACK])
def test_a_message_that_its_service_cannot_parse_is_shown_as_received(service: Service, body: str) -> None:
    assert parse_message(received(service, body)) == Unrecognized(body)


@pytest.mark.parametrize("body", ["", "no JSON", "1", DEEP])
def test_a_webhook_without_json_is_shown_as_received(body: str) -> None:
    assert parse_message(received(Service.WEBHOOK, body)) == WebhookBody(body)


@pytest.mark.parametrize("service", [Service.SLACK, Service.WEBHOOK])
def test_a_lone_surrogate_is_replaced(service: Service) -> None:
    parsed = parse_message(received(service, r'{"text": "\ud800"}'))
    assert str(parsed).encode()


@pytest.mark.parametrize(
    "body",
    [
        "Reference: AC-7F3K",
        '{"data":{"reference":"AC-7F3K"}}',
        '{"facts": [{"title": "Reference", "value": "AC-7F3K"}]}',
        '{"facts": [{"title": "Reference:", "value": "AC-7F3K"}]}',
        r'{"text": "*Reference:* `AC-7F3K`\nBye"}',
        "Reference code: AC-7F3K.",
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
