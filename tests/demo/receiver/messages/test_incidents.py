"""Alerts of PagerDuty and Jira Service Management."""

import json

import pytest

from webapp.demo.receiver.messages.chats import Piece
from webapp.demo.receiver.messages.incidents import Incident, parse_incident
from webapp.demo.receiver.scenarios import Service

EVENT = {
    "routing_key": "R" * 32,
    "event_action": "trigger",
    "dedup_key": "k",
    "payload": {"summary": "S", "source": "alertcheck", "severity": "info", "custom_details": {"Sent by": "A", "n": 1}},
    "links": [{"href": "https://a.b/c", "text": "I see it"}],
}
ALERT = {"message": "M", "alias": "k", "description": "D", "priority": "P5", "details": {"Sent by": "A"}}


def test_a_triggered_incident_has_its_details() -> None:
    assert parse_incident(Service.PAGERDUTY, json.dumps(EVENT), None) == Incident(
        "pagerduty",
        "k",
        "Triggered",
        title="S",
        level="info",
        facts=(("Source", "alertcheck"), ("Sent by", "A"), ("n", "1")),
        links=(("I see it", "https://a.b/c"),),
    )


@pytest.mark.parametrize(
    ("action", "state", "is_closed"),
    [("acknowledge", "Acknowledged", False), ("resolve", "Resolved", True)],
)
def test_an_incident_is_shown_as_what_the_event_does(action: str, state: str, is_closed: bool) -> None:
    event = json.dumps({"event_action": action, "dedup_key": "k"})
    assert parse_incident(Service.PAGERDUTY, event, None) == Incident("pagerduty", "k", state, is_closed)


def test_another_event_is_no_incident() -> None:
    assert parse_incident(Service.PAGERDUTY, '{"event_action": "delete"}', None) is None


def test_an_opened_alert_has_its_details() -> None:
    assert parse_incident(Service.JIRA_SERVICE_MANAGEMENT, json.dumps(ALERT), None) == Incident(
        "jira_service_management", "k", "Open", title="M", level="P5", text="D", facts=(("Sent by", "A"),)
    )


@pytest.mark.parametrize("body", ["", "{}", '{"note": "Closed by Alertcheck"}'])
def test_an_alert_is_closed_by_the_key_in_the_path(body: str) -> None:
    parsed = parse_incident(Service.JIRA_SERVICE_MANAGEMENT, body, "k")
    assert parsed
    assert (parsed.key, parsed.state, parsed.is_closed) == ("k", "Closed", True)


def test_no_other_service_has_incidents() -> None:
    assert parse_incident(Service.WEBHOOK, json.dumps(EVENT | ALERT), "k") is None


def test_an_address_in_the_text_of_an_alert_is_a_link() -> None:
    text = "No action is needed.\n\nI see it: https://a.b/c"
    parsed = parse_incident(Service.JIRA_SERVICE_MANAGEMENT, json.dumps(ALERT | {"description": text}), None)
    assert parsed
    assert parsed.pieces[-1] == Piece("https://a.b/c", url="https://a.b/c")
