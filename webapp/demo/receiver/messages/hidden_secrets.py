"""Takes the secrets out of a message before the receiver stores it: some services are sent theirs in the body."""

import json
from collections.abc import Mapping

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
    message = parse_json(body)
    if not isinstance(message, dict):
        return UNREADABLE
    hidden = {name: HIDDEN if name in secrets else value for name, value in message.items()}
    try:
        return make_encodable(json.dumps(hidden, ensure_ascii=False))
    except RecursionError:
        return UNREADABLE
