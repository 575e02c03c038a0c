"""A webhook: posts JSON to any receiver. With a signing secret, the receiver can detect forged messages.

Source: the Standard Webhooks specification (standardwebhooks.com).
"""

import base64
import json
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from webapp.channels.addresses import Service, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, Preview, get_setting, preview_post
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.message import Message
from webapp.channels.responses import read_response
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient
from webapp.outbound.policy.pasted_urls import strip_wrapping
from webapp.outbound.policy.send_targets import SendTarget, find_host

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every secret

# The headers that a preview describes, because each attempt computes them again.
ATTEMPT_HEADERS = {
    "webhook-timestamp": "(the time of the attempt, in Unix seconds)",
    "webhook-signature": "(v1, computed from the id, the timestamp and the body with the signing secret)",
}

INSTEAD_OF_CREDENTIALS = (
    "Remove them from there. With a signing secret, every message is signed, which the receiver can check instead. "
    "A receiver that needs a token can take it from the path or the query of the address, such as ?token=…"
)

# The length of a key in bytes, as the specification requires it, and that of the keys made here.
SECRET_BYTES = range(24, 65)
NEW_SECRET_BYTES = 32


def _check(text: str, outbound: OutboundClient) -> str:
    return check_address(text, outbound, Service(INSTEAD_OF_CREDENTIALS))


def _check_secret(text: str, outbound: OutboundClient) -> str:
    secret = strip_wrapping(text)
    if not secret.startswith(SECRET_PREFIX):
        raise SettingInvalid("A signing secret begins with whsec_.")
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        # People often omit the = at the end.
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise SettingInvalid("The part after whsec_ is not valid Base64. Copy the whole secret again.") from None
    if len(key) not in SECRET_BYTES:
        raise SettingInvalid("A signing secret encodes 24 to 64 random bytes. This one is too short or too long.")
    return secret


def generate_secret() -> str:
    """Return a new signing secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_host(settings.get("address", ""), outbound.policy)


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "address")
    body = _compose(message)
    # Signs only in order to fail where `_send` would, if the secret cannot sign.
    headers = _make_headers(settings, message.message_id, message.requested_at, body)
    return preview_post(body, {name: ATTEMPT_HEADERS.get(name, value) for name, value in headers.items()})


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address, body = get_setting(settings, "address"), _compose(message)
    headers = _make_headers(settings, message.message_id, datetime.now(UTC), body)
    response = outbound.post(address, body.encode(), headers)
    return read_response(response, address)


def _compose(message: Message) -> str:
    facts = {label.lower().replace(" ", "_"): value for label, value in message.facts.items()}
    data = {"title": message.title, "explanation": message.explanation, **facts}
    if message.receipt_link:
        data["receipt_link"] = message.receipt_link
    timestamp = message.requested_at.astimezone(UTC).isoformat()
    return json.dumps({"type": message.event_type, "timestamp": timestamp, "data": data})


def _make_headers(settings: Settings, message_id: str, now: datetime, body: str) -> dict[str, str]:
    """Return the headers, with the signature of this body if there is a secret. Raises `DeliveryFailed`."""
    headers = {**JSON_HEADERS, "webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
    secret = settings.get("signing_secret", "").strip()
    return headers | {"webhook-signature": _sign(secret, message_id, now, body)} if secret else headers


def _sign(secret: str, message_id: str, now: datetime, body: str) -> str:
    """Return the signature of a body. Raises `DeliveryFailed` if the secret cannot sign."""
    try:
        return Webhook(secret).sign(message_id, now, body)
    except (ValueError, EmptyWebhookSecretError):
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE) from None


CHANNEL = Channel(
    label="Webhook",
    accepted="Accepted by the receiver",
    after_accepted="No message at the receiver? Search its log for the id and the reference of this message.",
    guide=(
        "Set up the receiver to accept POST requests with JSON at a public https address, on port 443.",
        "If the receiver can check signatures, generate a signing secret, give it to the receiver, and make it "
        "check webhook-signature as standardwebhooks.com describes. Otherwise, leave the secret blank.",
        "Make the receiver respond with any 2xx status within a few seconds, and do its work afterwards.",
    ),
    fields=(
        Field(
            name="address",
            label="Address",
            kind=FieldKind.ADDRESS,
            help="The https address at which the receiver accepts POST requests with JSON.",
            check=_check,
        ),
        Field(
            name="signing_secret",
            label="Signing secret",
            kind=FieldKind.SECRET,
            help=(
                "Optional. The receiver uses this secret to check signatures (Standard Webhooks). Generate one and "
                "give it to the receiver, or enter the receiver's, which begins with whsec_. Without one, messages are "
                "not signed."
            ),
            check=_check_secret,
            required=False,
            generate=generate_secret,
        ),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hints={
        Code.BAD_REQUEST: (
            "Check the receiver's log for what it expects. Alertcheck sends type, timestamp and data as JSON."
        ),
        Code.AUTH_FAILED: (
            "If the receiver checks signatures, check that it uses the same signing secret and that its clock is "
            "right. If it wants a token, enter an address that contains the token."
        ),
        Code.FORBIDDEN: (
            "Allow Alertcheck at the receiver or its firewall. If it checks signatures, check that both sides have "
            "the same signing secret. Check that the account at the receiver is active and paid."
        ),
        Code.NOT_FOUND: (
            "Check the host and the path of the address, and check that the receiver accepts POST requests there."
        ),
        Code.REMOTE_UNAVAILABLE: (
            "Check that the receiver is running, and the service behind its gateway if it has one. Send another test "
            "when the waiting time is over, or later if none is named."
        ),
        Code.GONE: "The receiver does not want any more messages. Disable this destination, or enter a new address.",
    },
)
