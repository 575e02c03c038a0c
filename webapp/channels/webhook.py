"""A webhook: sends JSON to any receiver. With a signing secret, the receiver can detect forged messages.

Sources: the Standard Webhooks specification (standardwebhooks.com); Google's documentation of Apps Script, "Content
Service", Redirects.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from webapp.channels.addresses import ServiceAddresses, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, Preview, get_setting, preview_post
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings, fold, make_choice
from webapp.channels.message import Message
from webapp.channels.responses import read_response
from webapp.channels.webhook_authentication import FIELDS as AUTHENTICATION_FIELDS
from webapp.channels.webhook_authentication import describe_authorization, find_conflicts, make_authorization
from webapp.channels.webhook_bodies import BODIES, compose_body
from webapp.channels.webhook_headers import MAX_HEADERS, MAX_NAME, MAX_VALUE, read_headers, write_headers
from webapp.channels.webhook_signing import check_secret, generate_secret, sign
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient
from webapp.outbound.http.client import METHODS
from webapp.outbound.policy.counted_targets import SendTarget, find_host

# The headers that a preview describes, because each attempt computes them again.
ATTEMPT_HEADERS = {
    "webhook-timestamp": "(the time of the attempt, in Unix seconds)",
    "webhook-signature": "(v1, computed from the id, the timestamp and the body with the signing secret)",
}

# Where a script of Google Apps Script leaves what it answered, after it ran. Its errors are web pages of 200.
APPS_SCRIPT_OUTPUT = "https://script.googleusercontent.com/macros/echo?"

INSTEAD_OF_CREDENTIALS = "Remove them from there, and enter them in the fields Basic user and Basic password."


def _check(text: str, outbound: OutboundClient) -> str:
    return check_address(text, outbound, ServiceAddresses(INSTEAD_OF_CREDENTIALS))


def _check_headers(text: str, outbound: OutboundClient) -> str:
    return write_headers(read_headers(text))


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_host(settings.get("address", ""), outbound.policy)


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "address")
    method, body = _find_method(settings), compose_body(settings, message)
    # Makes the real headers only in order to fail where `_send` would, if the secret cannot sign.
    headers = _make_headers(settings, message.message_id, message.requested_at, body)
    added = dict.fromkeys(_read_added_headers(settings), "(Headers, not shown)")
    described = ATTEMPT_HEADERS | added | describe_authorization(settings)
    return preview_post(body, {name: described.get(name, value) for name, value in headers.items()}, method=method)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address, method, body = get_setting(settings, "address"), _find_method(settings), compose_body(settings, message)
    headers = _make_headers(settings, message.message_id, datetime.now(UTC), body)
    response = outbound.post(address, body.encode(), headers, method=method)
    if response.status == 302 and response.headers.get("Location", "").startswith(APPS_SCRIPT_OUTPUT):
        return Accepted(response.status)
    return read_response(response, address)


def _find_method(settings: Settings) -> str:
    method = settings.get("method") or "POST"
    if method not in METHODS:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return method


def _make_headers(settings: Settings, message_id: str, now: datetime, body: str) -> Mapping[str, str]:
    """Return the headers, with the signature of this body if there is a secret. Raises `DeliveryFailed`."""
    own = {**JSON_HEADERS, "webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
    secret = settings.get("signing_secret", "").strip()
    signature = {"webhook-signature": sign(secret, message_id, now, body)} if secret else {}
    return {**own, **signature, **_read_added_headers(settings)}


def _read_added_headers(settings: Settings) -> dict[str, str]:
    """Return the headers that the webhook's owner added. Raises `DeliveryFailed` if they cannot be sent."""
    try:
        headers = read_headers(settings.get("headers", ""))
    except SettingInvalid:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE) from None
    if find_conflicts(settings):
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return {**make_authorization(settings), **headers}


CHANNEL = Channel(
    label="Webhook",
    accepted="Accepted by the receiver",
    after_accepted="No message at the receiver? Search its log for the reference of this message.",
    guide=(
        "Set up the receiver to accept requests with JSON at a public https address, on port 443. Under More settings, "
        "choose the method that it accepts, POST or PUT, and the body that it was built for.",
        "If the receiver wants a password or a token, enter it there too, in Basic, Bearer token or Headers.",
        "If the receiver can check signatures, generate a signing secret, give it to the receiver, and make it "
        "check webhook-signature as standardwebhooks.com describes. Otherwise, leave the secret blank.",
        "Make the receiver respond with any 2xx status within a few seconds, and do its work afterwards.",
    ),
    fields=(
        Field(
            name="address",
            label="Address",
            kind=FieldKind.ADDRESS,
            help="The https address at which the receiver accepts requests with JSON.",
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
            check=check_secret,
            required=False,
            generate=generate_secret,
        ),
        *fold(
            Field(
                name="headers",
                label="Headers",
                kind=FieldKind.HEADERS,
                help=(
                    f"Optional. One header per line, as Name: value. Up to {MAX_HEADERS} headers, names of at most "
                    f"{MAX_NAME} characters and values of at most {MAX_VALUE:,}. The values are secret: pages show "
                    "only the names."
                ),
                check=_check_headers,
                required=False,
            ),
            *AUTHENTICATION_FIELDS,
            make_choice("method", "Method", "The method of the requests.", {method: method for method in METHODS}),
            make_choice("body", "Body", "Choose the JSON that the receiver was built for.", BODIES),
        ),
    ),
    find_conflicts=find_conflicts,
    targets=_targets,
    preview=_preview,
    send=_send,
    hints={
        Code.BAD_REQUEST: (
            "Check the receiver's log for what it expects. If it was built for Alertmanager or Grafana, choose that in "
            "the field Body."
        ),
        Code.AUTH_FAILED: (
            "Enter what the receiver wants again: Basic user and Basic password, Bearer token, or a header in Headers. "
            "If it checks signatures, check that it uses the same signing secret and that its clock is right."
        ),
        Code.FORBIDDEN: (
            "Allow Alertcheck at the receiver or its firewall. Check that the account of the Basic user, the Bearer "
            "token or the key in Headers may send there, and is active and paid. If the receiver checks signatures, "
            "check that both sides have the same signing secret."
        ),
        Code.NOT_FOUND: (
            "Check the host and the path of the address. Check that the receiver accepts the chosen method there, POST "
            "or PUT."
        ),
        Code.METHOD_NOT_ALLOWED: (
            "Check the path of the address, and choose the method that the receiver accepts, POST or PUT, in the field "
            "Method. The receiver must accept JSON."
        ),
        Code.REMOTE_UNAVAILABLE: (
            "Check that the receiver is running, and the service behind its gateway if it has one. Send another test "
            "when the waiting time is over, or later if none is named."
        ),
        Code.GONE: "The receiver does not want any more messages. Disable this destination, or enter a new address.",
    },
)
