"""ntfy: push notifications through a topic, on ntfy.sh or on a server of one's own.

Sources: ntfy's documentation, "Publishing", and its server (`server/errors.go`, `server.go`): a message has at most
4,096 bytes, and the JSON around it twice as many.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from webapp.channels.addresses import ServiceAddresses, check_server, find_target
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, Preview, get_setting, preview_post
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings, check_pattern, hide_secrets
from webapp.channels.hosted_service import WRONG_SERVER
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.plain_names import cut_bytes, prevent_links
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.channels.webhook_authentication import encode_basic
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_account
from webapp.outbound.policy.pasted_urls import strip_wrapping

SERVER = "https://ntfy.sh"

# ntfy's numbers for what went wrong, each with what it means. For any other number, its status decides.
WORDS = {
    "40009 invalid topic": Code.BAD_REQUEST,
    "40010 topic not allowed": Code.BAD_REQUEST,
    "40014 attachments not allowed": Code.PAYLOAD_TOO_LARGE,  # what ntfy makes of a message above its limit
    "40101 unauthorized": Code.AUTH_FAILED,
    "40301 forbidden": Code.FORBIDDEN,
    "40401 page not found": Code.NOT_FOUND,
    "41303 JSON too large": Code.PAYLOAD_TOO_LARGE,
    "42901 too many requests": Code.RATE_LIMITED,
    "42904 too many topics on the server": Code.RATE_LIMITED,
    "42905 daily bandwidth reached": Code.RATE_LIMITED,
    "42908 daily message quota reached": Code.RATE_LIMITED,
    "42909 too many failed sign-ins": Code.RATE_LIMITED,
    "507 insufficient storage": Code.REMOTE_UNAVAILABLE,  # the status, whatever number comes with it
    "50701 UnifiedPush topic without a subscriber": Code.REMOTE_UNAVAILABLE,
}
_WORD_BY_NUMBER = {int(word.partition(" ")[0]): word for word in WORDS}

# A retry within minutes is of no use: a quota begins anew the next day, and the limit on topics is the administrator's.
_NOT_SOON = {_WORD_BY_NUMBER[number] for number in (42904, 42905, 42908)}
SHOWN_HEADERS = {"Authorization": "(computed from the access token, or from the user name and the password)"}

PRIORITY = 3  # the default: 5 rings even where the phone is silent
TITLE_BYTES = 250  # so that the whole notification fits the 4,000 bytes of the services that pass it on to phones

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_check_token = check_pattern(
    r"tk_[A-Za-z0-9_-]{1,200}", "An access token begins with tk_. Find it in ntfy under Account, Access tokens."
)
_check_password = check_pattern(r"[^\x00-\x1f\x7f-\x9f]{1,200}", "The password has a character that nobody can type.")
_check_user = check_pattern(r"[-_.+@A-Za-z0-9]{1,200}", "A user name of ntfy has only letters, digits and - _ . + @.")
CHECK_SERVER = "In the settings of the destination, enter the ntfy server that the app is subscribed at."


def _check_topic(text: str, outbound: OutboundClient) -> str:
    topic = strip_wrapping(text)
    if _TOPIC.fullmatch(topic):
        return topic
    target = find_target(topic) if "/" in topic else None
    if target is not None:
        server = target.origin.url
        raise SettingInvalid(f"Enter only what follows {server}/ in this address, and {server} as the server below.")
    raise SettingInvalid("A topic has at most 64 letters, digits, hyphens and underscores. Enter one topic only.")


def _check_server(text: str, outbound: OutboundClient) -> str:
    return check_server(
        text, outbound, ServiceAddresses("Remove them: the user name and the password have their own fields.")
    )


def _find_conflicts(settings: Settings) -> Mapping[str, str]:
    token, user, password = (settings.get(name, "") for name in ("token", "user", "password"))
    if token and (user or password):
        return {"token": "ntfy takes an access token, or a user name and a password. Remove one of them."}
    if user and not password:
        return {"password": "Enter the password of this user, or remove the user name."}
    if password and not user:
        return {"user": "Enter the user name that belongs to the password, or remove the password."}
    return {}


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_account(settings.get("server", ""), outbound.policy, settings.get("topic", ""))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "server")
    headers = {name: SHOWN_HEADERS.get(name, value) for name, value in _make_headers(settings).items()}
    return preview_post(_compose(hide_secrets(settings, CHANNEL.fields), message), headers)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    server = get_setting(settings, "server")
    response = outbound.post(server, _compose(settings, message).encode(), _make_headers(settings))
    answer = read_json(response.body)
    accepted = _read_response(response, server, _find_word(answer, response.status))
    message_id = answer.get("id")
    require_own_word(isinstance(message_id, str) and message_id != "", response, server)
    return accepted


def _read_response(response: HttpResponse, server: str, word: str | None) -> Accepted:
    try:
        return read_response(response, server, word, WORDS)
    except DeliveryFailed as failure:
        failure.may_retry = failure.may_retry and word not in _NOT_SOON
        raise


def _compose(settings: Settings, message: Message) -> str:
    """Return the JSON to publish. Not in ASCII: escaped, the longest names would make it larger than is accepted."""
    facts = [f"{label}: {prevent_links(value)}" for label, value in message.facts.items()]
    content: dict[str, Any] = {
        "topic": get_setting(settings, "topic"),
        "title": cut_bytes(prevent_links(message.title), TITLE_BYTES),
        "message": "\n".join([message.explanation, *facts]),
        "priority": PRIORITY,
        "tags": ["warning" if message.alert else "test_tube"],
    }
    if message.receipt_link:
        content["actions"] = [{"action": "view", "label": I_SEE_IT, "url": message.receipt_link}]
    return json.dumps(content, ensure_ascii=False)


def _make_headers(settings: Settings) -> dict[str, str]:
    """Return the headers, with the credentials if there are any. Raises `DeliveryFailed` for a half of them."""
    token, user = settings.get("token", ""), settings.get("user", "")
    if token:
        return {**JSON_HEADERS, "Authorization": f"Bearer {token}"}
    if user or settings.get("password"):
        basic = encode_basic(get_setting(settings, "user"), get_setting(settings, "password"))
        return {**JSON_HEADERS, "Authorization": basic}
    return JSON_HEADERS


def _find_word(answer: Mapping[str, Any], status: int) -> str | None:
    """Return ntfy's number with its words, or None if the answer has none that is known."""
    number = answer.get("code")
    word = _WORD_BY_NUMBER.get(number) if type(number) is int else None
    return word or _WORD_BY_NUMBER.get(status)


CHANNEL = Channel(
    label="ntfy",
    accepted="Accepted by the ntfy server",
    after_accepted="No notification? Check that the ntfy app is subscribed to exactly this topic on this server.",
    guide=(
        "In the ntfy app, choose + (Subscribe to topic), and enter a topic that nobody can guess: on a public server, "
        "anyone who knows it can read the alerts and send some.",
        "If your ntfy server is not ntfy.sh, choose “Use another server” there and enter its address.",
        "Enter the same topic here, and your server at the end of this form.",
        "If the topic is protected, open the web app of ntfy, choose Account, choose Access tokens, create a token for "
        "an account that may write to the topic, and enter it here.",
    ),
    fields=(
        Field("topic", "Topic", FieldKind.SECRET, "The topic in the ntfy app. Treat it like a password.", _check_topic),
        Field("token", "Access token", FieldKind.SECRET, "Optional, for a protected topic.", _check_token, False),
        Field("user", "User name", FieldKind.TEXT, "Optional, instead of an access token.", _check_user, False),
        Field(
            "password", "Password", FieldKind.SECRET, "Optional, together with the user name.", _check_password, False
        ),
        Field("server", "Server", FieldKind.SERVER, "The address of the ntfy server.", _check_server, default=SERVER),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    words=WORDS,
    find_conflicts=_find_conflicts,
    hints=dict.fromkeys((*WRONG_SERVER, Code.DNS_NOT_FOUND, Code.REMOTE_REJECTED), CHECK_SERVER)
    | {
        Code.BAD_REQUEST: (
            "Check the topic in the settings of the destination. Some words, such as “docs”, cannot be topics."
        ),
        Code.AUTH_FAILED: (
            "The access token, or the user name and the password, are wrong or no longer valid. In the web app of "
            "ntfy, choose Account, Access tokens, create one, and enter it in the settings of the destination."
        ),
        Code.FORBIDDEN: (
            "The topic is protected. Enter an access token of an account that may write to it. If a firewall is named, "
            "let it pass messages from Alertcheck on to the ntfy server."
        ),
        Code.SIGN_IN_PAGE: (
            "Check in the ntfy app whether the message arrived before you send another test. If it did not, enter the "
            "ntfy server that the app is subscribed at in the settings of the destination. If the server is right, let "
            "the proxy in front of it pass messages on without a sign-in."
        ),
        Code.PAYLOAD_TOO_LARGE: "Ask whoever runs the ntfy server to set message-size-limit to 4,096 bytes or more.",
        Code.RATE_LIMITED: (
            "If a daily quota is named, it begins anew at midnight UTC: send another test after that. On ntfy.sh, "
            "messages without an access token share the quota of the Alertcheck server, and those with one count for "
            "its account. Otherwise, send another test in a few minutes."
        ),
        Code.REMOTE_UNAVAILABLE: (
            "Send another test when the waiting time is over, or later if none is named. If a UnifiedPush topic is "
            "named, use a topic that does not begin with “up”."
        ),
    },
)
