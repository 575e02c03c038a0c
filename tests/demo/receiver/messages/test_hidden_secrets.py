"""What the receiver stores instead of the secrets in a message."""

import json

import pytest

from webapp.demo.receiver.messages.hidden_secrets import HIDDEN, UNREADABLE, hide_secrets
from webapp.demo.receiver.scenarios import Service


@pytest.mark.parametrize(
    ("service", "body", "stored"),
    [
        (Service.PAGERDUTY, '{"routing_key": "C", "dedup_key": "k"}', {"routing_key": HIDDEN, "dedup_key": "k"}),
        (Service.PAGERDUTY, '{"routing_key": "C", "routing_key": ["C"]}', {"routing_key": HIDDEN}),
        (Service.NTFY, '{"topic": "C", "message": "ü"}', {"topic": HIDDEN, "message": "ü"}),
        (Service.PUSHOVER, '{"token": "C", "user": "C", "url": ""}', {"token": HIDDEN, "user": HIDDEN, "url": ""}),
    ],
)
def test_a_secret_in_json_is_not_stored(service: Service, body: str, stored: dict[str, str]) -> None:
    assert json.loads(hide_secrets(service, body)) == stored


@pytest.mark.parametrize("service", [Service.PAGERDUTY, Service.NTFY, Service.PUSHOVER])
@pytest.mark.parametrize("body", ['routing_key="C"', '["C"]', "[" * 60_000, '{"a":' * 990 + "1" + "}" * 990, "C"])
def test_a_body_that_is_not_understood_is_not_stored(service: Service, body: str) -> None:
    assert hide_secrets(service, body) in (UNREADABLE, body if body.startswith('{"a"') else None)


@pytest.mark.parametrize("service", [Service.WEBHOOK, Service.DISCORD, Service.JIRA_SERVICE_MANAGEMENT])
def test_any_other_body_is_stored_unchanged(service: Service) -> None:
    assert hide_secrets(service, '{"routing_key":  "C"}') == '{"routing_key":  "C"}'
