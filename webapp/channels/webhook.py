"""Any receiver of JSON, signed so that it can tell our messages from forged ones.

Source: the Standard Webhooks specification (standardwebhooks.com).
"""

import base64
import json
from datetime import UTC, datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from webapp.channels.contract import (
    JSON_HEADERS,
    Accepted,
    Channel,
    Field,
    FieldKind,
    Message,
    Preview,
    SettingInvalid,
    Settings,
    check_address,
    get_setting,
    preview_post,
    require_2xx,
)
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every one begins
MADE_AT_EACH_ATTEMPT = {
    "webhook-timestamp": "(the second of the attempt)",
    "webhook-signature": "(v1, made of all this with the signing secret)",
}

SECRET_BYTES = range(24, 65)  # what the specification asks of a key


def _check_secret(text: str, outbound: OutboundClient) -> str:
    secret = text.strip()
    if not secret.startswith(SECRET_PREFIX):
        raise SettingInvalid("A signing secret begins with whsec_.")
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        # The = at the end are often left out.
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise SettingInvalid("After whsec_, a signing secret is Base64: copy it again, whole.") from None
    if len(key) not in SECRET_BYTES:
        raise SettingInvalid("A signing secret stands for 24 to 64 random bytes; this one is too short or too long.")
    return secret


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    secret, body = get_setting(settings, "signing_secret"), _compose(message)
    # Signed for nothing but its failure: a secret that cannot sign is said so here too.
    headers = _sign(secret, message.message_id, message.requested_at, body)
    return preview_post(settings, body, headers | MADE_AT_EACH_ATTEMPT)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address, secret = get_setting(settings, "address"), get_setting(settings, "signing_secret")
    body = _compose(message)
    headers = _sign(secret, message.message_id, datetime.now(UTC), body)
    response = outbound.post(address, body.encode(), headers)
    require_2xx(response, address)
    return Accepted(response.status)


def _compose(message: Message) -> str:
    facts = {label.lower().replace(" ", "_"): value for label, value in message.facts.items()}
    data = {"title": message.title, "explanation": message.explanation, **facts}
    if message.receipt_link:
        data["receipt_link"] = message.receipt_link
    timestamp = message.requested_at.astimezone(UTC).isoformat()
    return json.dumps({"type": message.event_type, "timestamp": timestamp, "data": data})


def _sign(secret: str, message_id: str, now: datetime, body: str) -> dict[str, str]:
    """Return the headers that vouch for exactly this body; raises `DeliveryFailed` for a secret that cannot sign."""
    try:
        signature = Webhook(secret).sign(message_id, now, body)
    except (ValueError, EmptyWebhookSecretError):
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE) from None
    return {
        **JSON_HEADERS,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


CHANNEL = Channel(
    label="Webhook",
    accepted="Accepted by the receiver",
    after_accepted="Nothing to be seen? Look in the receiver's log for the id and the reference of this message.",
    guide=(
        "Let the receiver take a POST with JSON at an https address that can be reached from outside, on port 443.",
        "Make a signing secret: write whsec_ and put the output of `openssl rand -base64 32` behind it.",
        "Give the same secret to the receiver, and let it check webhook-signature as standardwebhooks.com describes.",
        "Let it answer with any 2xx at once and do its work later; it has a few seconds.",
    ),
    fields=(
        Field(
            name="address",
            label="Address",
            kind=FieldKind.ADDRESS,
            help="The https address at which the receiver takes a POST with JSON.",
            check=check_address,
        ),
        Field(
            name="signing_secret",
            label="Signing secret",
            kind=FieldKind.SECRET,
            help=(
                "The secret the receiver checks signatures with (Standard Webhooks). To make one, write whsec_ and put "
                "the output of `openssl rand -base64 32` behind it; then give it to the receiver too."
            ),
            check=_check_secret,
        ),
    ),
    preview=_preview,
    send=_send,
    hints={
        Code.BAD_REQUEST: "See in the receiver's log what it expects; we send type, timestamp and data as JSON.",
        Code.AUTH_FAILED: "Compare the signing secret on both sides, and set the receiver's clock right.",
        Code.FORBIDDEN: "Allow this sender at the receiver or its firewall; compare the signing secret on both sides.",
        Code.NOT_FOUND: "Check the path of the address, and that the receiver takes a POST there.",
        Code.GONE: "The receiver asks for no more messages. Disable this destination, or enter a new address.",
    },
)
