"""Pushover: push notifications to the devices of a user or group.

Source: Pushover's documentation, "Pushover Message API". It takes forms and, as its attachments show, JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from webapp.channels.addresses import ServiceAddresses, check_server
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, Preview, get_setting, preview_post
from webapp.channels.fields import Field, FieldKind, Settings, check_pattern, hide_secrets
from webapp.channels.hosted_service import make_hints, make_server_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.plain_names import prevent_links
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Cause, Code
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.http.response_classification import make_failure
from webapp.outbound.policy.counted_targets import SendTarget, find_account

SERVER = "https://api.pushover.net"
HOSTS = ("api.pushover.net",)
STATUS_PAGE = "status.pushover.net"

# The hosts of the pages on which people manage their account.
PAGES = ("pushover.net", "www.pushover.net", "client.pushover.net")

# What Pushover calls invalid, each with what it means. Any other parameter is not shown.
WORDS = {
    "token: invalid": Code.AUTH_FAILED,
    "user: invalid": Code.NOT_FOUND,
    "device: invalid": Code.NOT_FOUND,
    "message: invalid": Code.BAD_REQUEST,
    "url: invalid": Code.BAD_REQUEST,
}

# How the sentences in `errors` begin, for answers that do not name the parameter.
_ERRORS = {
    "application token is invalid": "token: invalid",
    "user identifier is not a valid user": "user: invalid",
    "user identifier is invalid": "user: invalid",
    "user key is invalid": "user: invalid",
}

# What an answer of 200 and status 1 says beside them if the message reaches nobody (kapacitor's issue 1483).
_NO_DEVICES = "no active devices to send to"

PRIORITY = 0  # normal: 1 rings in the quiet hours, and 2 again and again until somebody confirms it
TITLE_LENGTH, URL_LENGTH = 250, 512  # characters

GET_TOKEN = "On pushover.net, choose the application, and copy its API Token/Key."  # noqa: S105 - how to get one
GET_USER_KEY = "Sign in at pushover.net and copy Your User Key, or choose a group and copy its key."


def _check_server(text: str, outbound: OutboundClient) -> str:
    instead = "Remove them: the API token and the user key have their own fields."
    return check_server(
        text, outbound, ServiceAddresses(instead, "Pushover", _hosts(outbound), PAGES, f"Enter {SERVER}.")
    )


def _find_conflicts(settings: Settings) -> Mapping[str, str]:
    if settings.get("app_token") and settings["app_token"] == settings.get("user_key"):
        return {"app_token": f"The API token and the user key are the same, but they are two keys. {GET_TOKEN}"}
    return {}


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_account(settings.get("server", ""), outbound.policy, settings.get("user_key", ""))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "server")
    return preview_post(_compose(hide_secrets(settings, CHANNEL.fields), message))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = f"{get_setting(settings, 'server')}/1/messages.json"
    response = outbound.post(address, _compose(settings, message).encode(), JSON_HEADERS, _hosts(outbound))
    answer = read_json(response.body)
    accepted = read_response(_name_wait(response), address, _find_word(answer), WORDS)
    if answer.get("info") == _NO_DEVICES:
        raise make_failure(Code.NOT_FOUND, response, urlsplit(address).hostname, cause=Cause.NO_ACTIVE_DEVICE)
    is_accepted = type(answer.get("status")) is int and answer["status"] == 1
    require_own_word(is_accepted, response, address)
    return accepted


def _name_wait(response: HttpResponse) -> HttpResponse:
    """Return the answer to too many messages with the time at which the monthly quota begins anew as Retry-After.

    Pushover says it in a header of its own, which all answers have: it counts only if nothing is left of the quota.
    """
    reset, left = response.headers.get("X-Limit-App-Reset", ""), response.headers.get("X-Limit-App-Remaining", "0")
    if response.status != 429 or "Retry-After" in response.headers or left != "0" or not _is_time(reset):
        return response
    return replace(response, headers={"Retry-After": format_datetime(datetime.fromtimestamp(int(reset), UTC), True)})


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("pushover", ())


def _compose(settings: Settings, message: Message) -> str:
    """Return the message, which has fewer than the 1,024 characters that are accepted, however long the names are."""
    facts = [f"{label}: {prevent_links(value)}" for label, value in message.facts.items()]
    title = prevent_links(message.title)
    content: dict[str, Any] = {
        "token": get_setting(settings, "app_token"),
        "user": get_setting(settings, "user_key"),
        "title": title if len(title) <= TITLE_LENGTH else f"{title[: TITLE_LENGTH - 1]}…",
        "message": "\n".join([message.explanation, *facts]),
        "priority": PRIORITY,
    }
    if message.receipt_link and len(message.receipt_link) <= URL_LENGTH:
        content |= {"url": message.receipt_link, "url_title": I_SEE_IT}
    return json.dumps(content)


def _find_word(answer: Mapping[str, Any]) -> str | None:
    """Return the parameter that Pushover calls invalid, or None if it names none that is known."""
    named = [word for word in WORDS if answer.get(word.partition(":")[0]) == "invalid"]
    errors = answer.get("errors")
    texts = [text for text in errors if isinstance(text, str)] if isinstance(errors, list) else []
    told = [word for text in texts for start, word in _ERRORS.items() if text.startswith(start)]
    return next(iter([*named, *told]), None)


CHANNEL = Channel(
    label="Pushover",
    accepted="Accepted by Pushover",
    after_accepted=(
        "No notification? On pushover.net, check under Your Devices that the device is active, and in its app that "
        "quiet hours are off."
    ),
    guide=(
        "Sign in at pushover.net and copy Your User Key. For several people, create a group, and copy the key of the "
        "group.",
        "On the same page, choose Create an Application/API Token, enter a name such as “Alertcheck”, and create it.",
        "Copy the API Token/Key of the application.",
        "Enter both here. Treat them like passwords: together, they can send messages to your devices.",
    ),
    fields=(
        Field(
            name="app_token",
            label="API token",
            kind=FieldKind.SECRET,
            help="The API Token/Key of your application on pushover.net: 30 letters and digits.",
            check=check_pattern("[A-Za-z0-9]{30}", f"An API token has 30 letters and digits. {GET_TOKEN}"),
        ),
        Field(
            name="user_key",
            label="User key",
            kind=FieldKind.SECRET,
            help="Your User Key on pushover.net, or the key of a group: 30 letters and digits.",
            check=check_pattern("[A-Za-z0-9]{30}", f"A user key has 30 letters and digits. {GET_USER_KEY}"),
        ),
        Field("server", "Server", FieldKind.SERVER, f"Leave {SERVER} here.", _check_server, default=SERVER),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hosts=HOSTS,
    words=WORDS,
    find_conflicts=_find_conflicts,
    hints=make_hints("Pushover", "the Pushover app", STATUS_PAGE, GET_TOKEN)
    | make_server_hints(f"Enter {SERVER} as the server in the settings of the destination.", STATUS_PAGE)
    | {
        Code.CONFIG_INCOMPLETE: f"Enter the API token and the user key again. {GET_TOKEN} {GET_USER_KEY}",
        Code.BAD_REQUEST: f"Enter the API token and the user key again. {GET_TOKEN} {GET_USER_KEY}",
        Code.AUTH_FAILED: f"Pushover does not know the API token, or the application was deleted. {GET_TOKEN}",
        Code.FORBIDDEN: "Check on pushover.net that the account and the application are active and paid.",
        Code.NOT_FOUND: (
            "Pushover does not know the user key, or none of the devices is active any more. Check Your Devices on "
            f"pushover.net. {GET_USER_KEY} If nothing is wrong there, check that the server is {SERVER}."
        ),
        Code.SIGN_IN_PAGE: (
            "Check in the Pushover app whether the message arrived before you send another test. If it did not, check "
            f"that the server is {SERVER}."
        ),
        Code.RATE_LIMITED: (
            "The application or its account has used up its messages of this month. Send another test when the waiting "
            "time is over, or raise the limit on pushover.net."
        ),
        Code.REMOTE_REJECTED: f"The answer is not Pushover's. Check that the server is {SERVER}.",
    },
)
