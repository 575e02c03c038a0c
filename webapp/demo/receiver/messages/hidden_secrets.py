"""Takes the secrets out of a message before the receiver stores it: some services are sent theirs in the body."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from webapp.demo.receiver.messages.json_text import make_encodable, parse_json
from webapp.demo.receiver.scenarios import Service

HIDDEN = "(not stored)"

# What is stored instead of a body in which the secret cannot be found.
UNREADABLE = "(Not stored: this is not what the service expects, so a secret could be anywhere in it.)"

_SECRETS: Mapping[Service, frozenset[str]] = {
    Service.PAGERDUTY: frozenset({"routing_key"}),
    Service.NTFY: frozenset({"topic"}),
    Service.PUSHOVER: frozenset({"token", "user"}),
}


def hide_secrets(service: Service, body: str) -> str:
    """Return the body with words instead of each secret in it."""
    secrets = _SECRETS.get(service)
    if secrets is None or not body:
        return body
    if service is Service.PUSHOVER and parse_json(body) is None:  # it takes forms and JSON
        return _hide_in_form(body, secrets)
    return _hide_in_json(body, secrets)


def _hide_in_form(body: str, secrets: frozenset[str]) -> str:
    fields = parse_qsl(body, keep_blank_values=True)
    if not any(name in secrets for name, _ in fields):
        return UNREADABLE
    return urlencode([(name, HIDDEN if name in secrets else value) for name, value in fields])


def _hide_in_json(body: str, secrets: frozenset[str]) -> str:
    message = parse_json(body)
    if not isinstance(message, dict):
        return UNREADABLE
    hidden = {name: HIDDEN if name in secrets else value for name, value in message.items()}
    try:
        return make_encodable(json.dumps(hidden, ensure_ascii=False))
    except RecursionError:
        return UNREADABLE
