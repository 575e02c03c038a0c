"""Google Chat, through an incoming webhook of a space.

Sources: Google's documentation, "Build a Google Chat app as a webhook", "Format messages", "Usage limits", and the
error model of its APIs (google.rpc.Code). Issues of other senders show the errors of wrong keys and tokens.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from webapp.channels.addresses import ServiceAddresses, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, get_setting, preview_of
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.hosted_service import make_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.plain_names import prevent_links
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_url

HOSTS = ("chat.googleapis.com",)

# The hosts of the pages on which people work with Google Chat.
PAGES = ("chat.google.com", "mail.google.com", "hangouts.google.com")

# The parameters of the query without which no address works.
PARAMETERS = ("key", "token")

# What Google says is wrong, each with what it means: the `status` of an error or, first, the `reason` of its details.
# Any other word is not shown.
WORDS = {
    "API_KEY_INVALID": Code.AUTH_FAILED,
    "CONSUMER_INVALID": Code.AUTH_FAILED,
    "SERVICE_DISABLED": Code.FORBIDDEN,
    "RATE_LIMIT_EXCEEDED": Code.RATE_LIMITED,
    "DEADLINE_EXCEEDED": Code.GATEWAY_GAVE_UP,
    "FAILED_PRECONDITION": Code.BAD_REQUEST,
    "INTERNAL": Code.REMOTE_ERROR,
    "INVALID_ARGUMENT": Code.BAD_REQUEST,
    "NOT_FOUND": Code.NOT_FOUND,
    "PERMISSION_DENIED": Code.FORBIDDEN,
    "RESOURCE_EXHAUSTED": Code.RATE_LIMITED,
    "UNAUTHENTICATED": Code.AUTH_FAILED,
    "UNAVAILABLE": Code.REMOTE_UNAVAILABLE,
    "UNIMPLEMENTED": Code.METHOD_NOT_ALLOWED,
    "UNKNOWN": Code.REMOTE_ERROR,
}
COPY_LINK = (
    "In Google Chat, open the space, choose the arrow beside its name, choose Apps & integrations, and under Webhooks "
    "choose More (⋮) and Copy link. Enter the whole address in the settings of the destination."
)
CREATE_WEBHOOK = (
    "In Google Chat, open the space, choose the arrow beside its name, choose Apps & integrations, choose Add "
    "webhooks, and enter the new address in the settings of the destination."
)

_PATH = re.compile(r"/v1/spaces/[A-Za-z0-9_-]+/messages/?")
_UNDERSCORES = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "*": "∗", "~": "∼", "`": "ˋ"})


def _check(text: str, outbound: OutboundClient) -> str:
    service = ServiceAddresses(f"Remove them. {COPY_LINK}", "Google Chat", _hosts(outbound), PAGES, CREATE_WEBHOOK)
    address = check_address(text, outbound, service)
    parts = urlsplit(address)
    if parts.hostname not in HOSTS:
        return address
    if not _PATH.fullmatch(parts.path):
        raise SettingInvalid(f"This is not the address of a webhook. {CREATE_WEBHOOK}")
    missing = [name for name in PARAMETERS if not "".join(parse_qs(parts.query).get(name, [])).strip()]
    if missing:
        raise SettingInvalid(f"The address is incomplete: it has no {' and no '.join(missing)}. {COPY_LINK}")
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_url(settings.get("address", ""), outbound.policy, HOSTS, frozenset(PARAMETERS))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    answer = read_json(response.body)
    accepted = read_response(response, address, _find_word(answer), WORDS)
    name = answer.get("name")
    require_own_word(isinstance(name, str) and name.startswith("spaces/"), response, address)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("google_chat", ())


def _compose(message: Message) -> str:
    return json.dumps({"text": _text(message)})


def _text(message: Message) -> str:
    """Return the text of a message. With the longest names, it has fewer than the 4,000 characters that are accepted.

    The link stands there as it is: one of Google Chat's two markup languages does not know <…|…>.
    """
    facts = [f"*{label}:* {_escape(value)}" for label, value in message.facts.items()]
    link = [f"{I_SEE_IT}: {message.receipt_link}"] if message.receipt_link else []
    return "\n".join([f"*{_escape(message.title)}*", message.explanation, *facts, *link])


def _escape(text: str) -> str:
    """Prevent a name from becoming a mention, a link or markup. Google Chat has no escapes, hence the lookalikes."""
    plain = prevent_links(text).translate(_LOOKALIKES).replace("](", "] (")
    return _UNDERSCORES.sub(lambda found: "＿" * len(found[0]), plain)


def _find_word(answer: dict[str, Any]) -> str | None:
    """Return Google's word for what went wrong, or None if the answer has none that is known."""
    error = answer.get("error")
    if not isinstance(error, dict):
        return None
    details = error["details"] if isinstance(error.get("details"), list) else []
    found = [detail.get("reason") for detail in details if isinstance(detail, dict)]
    return next((word for word in [*found, error.get("status")] if isinstance(word, str) and word in WORDS), None)


CHANNEL = Channel(
    label="Google Chat",
    accepted="Accepted by Google Chat",
    after_accepted=(
        "No message in Google Chat? Check that you look at the space in which the webhook was created: each webhook "
        "posts to its own space."
    ),
    guide=(
        "In Google Chat on a computer, open the space that should receive alerts.",
        "Choose the arrow beside the name of the space, then Apps & integrations.",
        "Choose Add webhooks, enter a name such as “Alertcheck”, and choose Save.",
        "Choose More (⋮) beside the new webhook, choose Copy link, and paste the whole link here. Treat it like a "
        "password: anyone who has it can post to the space.",
        "If there is no Add webhooks, ask an admin of your Google Workspace to allow incoming webhooks.",
    ),
    fields=(
        Field(
            name="address",
            label="Webhook address",
            kind=FieldKind.ADDRESS,
            help=(
                "It begins with https://chat.googleapis.com/v1/spaces/ and has a key and a token. Find it in the "
                "space, under Apps & integrations, Webhooks."
            ),
            check=_check,
        ),
    ),
    targets=_targets,
    preview=preview_of(_compose),
    send=_send,
    hosts=HOSTS,
    words=WORDS,
    hints=make_hints("Google Chat", "Google Chat", "www.google.com/appsstatus", CREATE_WEBHOOK)
    | {
        Code.BAD_REQUEST: f"Check that this is the whole address of a webhook of a space. {COPY_LINK}",
        Code.AUTH_FAILED: f"The key or the token in the address is wrong or incomplete. {COPY_LINK}",
        Code.FORBIDDEN: (
            "The token in the address is not valid: the webhook was deleted, or the address is incomplete. Copy it "
            f"again, or create a new one. {CREATE_WEBHOOK} If that does not help, ask an admin of your Google "
            "Workspace whether incoming webhooks are allowed."
        ),
        Code.NOT_FOUND: f"The space or its webhook was deleted. {CREATE_WEBHOOK}",
        Code.RATE_LIMITED: (
            "Google Chat accepts about one message a second in each space, from all apps together. Send another test "
            "when the waiting time is over, or in a minute if none is named."
        ),
        Code.REMOTE_REJECTED: f"Check that this is the address of a webhook of a space. {COPY_LINK}",
    },
)
