"""The bodies of a webhook: as Alertmanager and Grafana document theirs, and recognizable as a test."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.channels.conftest import LINK
from tests.channels.refusals import find_failure
from webapp.channels.message import Message
from webapp.channels.webhook_bodies import BODIES, compose_body
from webapp.failures import Code

LIKE_ALERTMANAGER = ("alertmanager", "grafana")


def compose(body: str, message: Message) -> Any:
    return json.loads(compose_body({"body": body}, message))


LABELS = {
    "alertname": "AlertcheckTest",
    "instance": "alertcheck",
    "job": "alertcheck",
    "reference": "K7QM-4T",
    "severity": "info",
}
ANNOTATIONS = {
    "summary": "[TEST] Test alert from Acme GmbH",
    "description": "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
    "workspace": "Acme GmbH",
    "destination": "On-call",
    "sent_by": "Support desk",
    "sent_at": "2026-11-03 08:35:06 UTC",
    "reference": "K7QM-4T",
    "receipt_link": LINK,
}


def test_alertmanagers_body_has_the_documented_fields(message_with_link: Message) -> None:
    assert compose("alertmanager", message_with_link) == {
        "version": "4",
        "groupKey": '{}:{alertname="AlertcheckTest", reference="K7QM-4T"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "On-call",
        "groupLabels": {"alertname": "AlertcheckTest", "reference": "K7QM-4T"},
        "commonLabels": LABELS,
        "commonAnnotations": ANNOTATIONS,
        "externalURL": "https://alertcheck.example.com",
        "alerts": [
            {
                "status": "firing",
                "labels": LABELS,
                "annotations": ANNOTATIONS,
                "startsAt": "2026-11-03T08:35:06Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": LINK,
                "fingerprint": "5219b5c17d1f1037",
            }
        ],
    }


def test_grafanas_body_has_alertmanagers_fields_and_its_own(message_with_link: Message) -> None:
    like, body = compose("alertmanager", message_with_link), compose("grafana", message_with_link)
    alert = body["alerts"][0]

    assert {name: body[name] for name in like if name not in ("version", "alerts")} == {
        name: value for name, value in like.items() if name not in ("version", "alerts")
    }
    assert {name: alert[name] for name in like["alerts"][0]} == like["alerts"][0]
    assert (body["version"], body["orgId"], body["state"]) == ("1", 1, "alerting")
    assert body["title"] == "[TEST] Test alert from Acme GmbH"
    assert body["message"].splitlines() == [
        "[TEST] Test alert from Acme GmbH",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "Workspace: Acme GmbH",
        "Destination: On-call",
        "Sent by: Support desk",
        "Sent at: 2026-11-03 08:35:06 UTC",
        "Reference: K7QM-4T",
        f"I see it: {LINK}",
    ]
    assert {name: alert[name] for name in alert.keys() - like["alerts"][0].keys()} == {
        "silenceURL": "",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"A": 1},
        "valueString": "[ var='A' labels={} value=1 ]",
    }


@pytest.mark.parametrize("body", LIKE_ALERTMANAGER)
def test_without_a_link_its_fields_are_empty_texts(body: str, message: Message) -> None:
    composed = compose(body, message)
    assert (composed["externalURL"], composed["alerts"][0]["generatorURL"]) == ("", "")
    assert "receipt_link" not in composed["commonAnnotations"]


@pytest.mark.parametrize("body", LIKE_ALERTMANAGER)
def test_another_test_is_another_alert_and_another_attempt_is_the_same(body: str, message: Message) -> None:
    first, other = compose(body, message), compose(body, replace(message, reference="2222-22"))
    assert compose(body, message) == first
    assert first["groupKey"] != other["groupKey"]
    assert first["alerts"][0]["fingerprint"] != other["alerts"][0]["fingerprint"]


@pytest.mark.parametrize("body", LIKE_ALERTMANAGER)
def test_a_real_alert_has_its_own_name_and_is_no_test(body: str, message: Message) -> None:
    composed = compose(body, replace(message, alert='Disk "full"'))
    assert composed["commonLabels"]["alertname"] == 'Disk "full" (Acme GmbH)'
    assert composed["groupKey"].startswith('{}:{alertname="Disk \\"full\\" (Acme GmbH)"')
    assert "severity" not in composed["commonLabels"]
    assert "test" not in json.dumps(composed).lower()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("character", ["\N{FIRE}", '"', "\\", "<", "\x01", "\ud800", "\n"])
def test_the_longest_names_fit_into_20_kb(body: str, character: str, message_with_link: Message) -> None:
    endless = character * 20_000
    message = replace(message_with_link, workspace=endless, destination=endless, requested_by=endless)
    assert len(compose_body({"body": body}, message).encode()) < 20_000


@pytest.mark.parametrize("body", BODIES)
def test_every_body_is_one_line_whatever_the_names(body: str, message: Message) -> None:
    text = compose_body({"body": body}, replace(message, workspace="a\r\nHost: evil\u2028b"))
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("settings", [{}, {"body": ""}])
def test_settings_of_before_there_was_a_choice_have_our_own_body(settings: dict[str, str], message: Message) -> None:
    assert json.loads(compose_body(settings, message))["type"] == "alerts.test"


def test_a_body_that_does_not_exist_ends_as_incomplete_settings(message: Message) -> None:
    assert find_failure(compose_body, {"body": "zabbix"}, message).code is Code.CONFIG_INCOMPLETE
