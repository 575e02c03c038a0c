"""The bodies that a webhook can have: our own, or those of Alertmanager and Grafana, for receivers built for these.

Sources: the Standard Webhooks specification; Prometheus' documentation of Alertmanager, "webhook_config" (version 4),
and its `LabelSet.Fingerprint`; Grafana's documentation, "Configure webhook notifications" (version 1).
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from urllib.parse import urlsplit

from webapp.channels.fields import Settings
from webapp.channels.message import I_SEE_IT, Message
from webapp.failures import Code, DeliveryFailed

# The choices of a webhook's body.
BODIES = {
    "standard": "Alertcheck's own (Standard Webhooks)",
    "alertmanager": "As from Alertmanager (version 4)",
    "grafana": "As from Grafana (version 1)",
}

# What Alertmanager and Grafana send for an alert that has not ended.
_NOT_ENDED = "0001-01-01T00:00:00Z"

_NAME_OF_A_TEST = "AlertcheckTest"

# 64-bit FNV-1a, with which Prometheus hashes labels.
_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def compose_body(settings: Settings, message: Message) -> str:
    """Return the body as JSON on one line, as the setting `body` has it. Raises `DeliveryFailed`."""
    compose = _COMPOSERS.get(settings.get("body") or "standard")
    if compose is None:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return compose(message)


def _compose_standard(message: Message) -> str:
    data = {"title": message.title, "explanation": message.explanation, **_name_facts(message)}
    timestamp = message.requested_at.astimezone(UTC).isoformat()
    return json.dumps({"type": message.event_type, "timestamp": timestamp, "data": data})


def _compose_alertmanager(message: Message) -> str:
    return _dump(_make_group(message, "4", {}, {}))


def _compose_grafana(message: Message) -> str:
    # As Grafana does, it has a number for an alert, and leaves out the URL of an image that does not exist.
    of_alert = {
        "silenceURL": "",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"A": 1},
        "valueString": "[ var='A' labels={} value=1 ]",
    }
    of_group = {"orgId": 1, "title": message.title, "state": "alerting", "message": _write_text(message)}
    return _dump(_make_group(message, "1", of_alert, of_group))


_COMPOSERS: Mapping[str, Callable[[Message], str]] = {
    "standard": _compose_standard,
    "alertmanager": _compose_alertmanager,
    "grafana": _compose_grafana,
}


def _make_group(
    message: Message, version: str, of_alert: Mapping[str, Any], of_group: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a group with the one alert. of_alert, of_group: what Grafana adds."""
    labels, annotations = _make_labels(message), _make_annotations(message)
    group_labels = {name: labels[name] for name in ("alertname", "reference")}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": _write_time(message.requested_at),
        "endsAt": _NOT_ENDED,
        "generatorURL": message.receipt_link or "",
        "fingerprint": _fingerprint(labels),
        **of_alert,
    }
    return {
        "receiver": message.facts["Destination"],
        "status": "firing",
        "alerts": [alert],
        "groupLabels": group_labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": _find_origin(message),
        "version": version,
        "groupKey": _write_group_key(group_labels),
        "truncatedAlerts": 0,
        **of_group,
    }


def _make_labels(message: Message) -> dict[str, str]:
    """Return the labels. With the reference, no receiver takes a test for a repetition of the one before."""
    name = _NAME_OF_A_TEST if message.alert is None else message.title
    severity = {"severity": "info"} if message.alert is None else {}
    return {
        "alertname": name,
        "instance": "alertcheck",
        "job": "alertcheck",
        "reference": message.reference,
        **severity,
    }


def _make_annotations(message: Message) -> dict[str, str]:
    return {"summary": message.title, "description": message.explanation, **_name_facts(message)}


def _name_facts(message: Message) -> dict[str, str]:
    facts = {label.lower().replace(" ", "_"): value for label, value in message.facts.items()}
    return facts | ({"receipt_link": message.receipt_link} if message.receipt_link else {})


def _write_text(message: Message) -> str:
    facts = [f"{label}: {value}" for label, value in message.facts.items()]
    link = [f"{I_SEE_IT}: {message.receipt_link}"] if message.receipt_link else []
    return "\n".join([message.title, message.explanation, *facts, *link])


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _find_origin(message: Message) -> str:
    """Return where this installation is reached, as far as the message knows it."""
    parts = urlsplit(message.receipt_link or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _write_group_key(labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(labels.items()))
    return f"{{}}:{{{pairs}}}"


def _fingerprint(labels: Mapping[str, str]) -> str:
    """Return the hash by which Prometheus tells label sets apart, in hexadecimal."""
    text = b"".join(part.encode() + b"\xff" for pair in sorted(labels.items()) for part in pair)
    return f"{reduce(_add_byte, text, _FNV_OFFSET):016x}"


def _add_byte(sum_so_far: int, byte: int) -> int:
    return (sum_so_far ^ byte) * _FNV_PRIME % 2**64


def _dump(group: Mapping[str, Any]) -> str:
    """Return JSON with letters as they are, as both programs write it: escaped ones could exceed 20 KB."""
    return json.dumps(group, ensure_ascii=False)
