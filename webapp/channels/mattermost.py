"""Mattermost, through an incoming webhook of a server that anyone may run.

Source: Mattermost's developer documentation, "Incoming webhooks", and the errors of its server.
"""

import json
import re

from webapp.channels.addresses import ServiceAddresses, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, get_setting, preview_of
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_host
from webapp.outbound.policy.urls import read_url

# The `id` of Mattermost's errors, each with what it means. Nothing else of a response is shown: `detailed_error` and
# `message` repeat the id of the webhook, which is its secret.
WORDS = {
    "api.context.404.app_error": Code.NOT_FOUND,
    "api.context.invalid_url_param.app_error": Code.NOT_FOUND,
    "api.post.create_post.can_not_post_to_deleted.error": Code.GONE,
    "api.post.create_post.town_square_read_only": Code.FORBIDDEN,
    "api.webhook.incoming.error": Code.BAD_REQUEST,
    "app.channel.get.existing.app_error": Code.GONE,
    "model.incoming_hook.parse_data.app_error": Code.BAD_REQUEST,
    "web.incoming_webhook.channel.app_error": Code.GONE,
    "web.incoming_webhook.channel_locked.app_error": Code.FORBIDDEN,
    "web.incoming_webhook.decode.app_error": Code.BAD_REQUEST,
    "web.incoming_webhook.disabled.app_error": Code.FORBIDDEN,
    "web.incoming_webhook.invalid.app_error": Code.NOT_FOUND,
    "web.incoming_webhook.parse.app_error": Code.BAD_REQUEST,
    "web.incoming_webhook.permissions.app_error": Code.FORBIDDEN,
    "web.incoming_webhook.text.app_error": Code.BAD_REQUEST,
    "web.incoming_webhook.user.app_error": Code.FORBIDDEN,
}

CREATE_WEBHOOK = (
    "In Mattermost, open the product menu, choose Integrations, choose Incoming Webhooks, choose the webhook or Add "
    "Incoming Webhook, and enter its URL in the settings of the destination."
)
INSTEAD_OF_CREDENTIALS = "Remove them: the id at the end of the address is all that an incoming webhook needs."

_PATH = re.compile(r"(?:/.*)?/hooks/[A-Za-z0-9]+/?")
_SEPARATED = re.compile(r"[@<]|\](?=\()|:(?=//)|www(?=\.)", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"


def _check(text: str, outbound: OutboundClient) -> str:
    address = check_address(text, outbound, ServiceAddresses(INSTEAD_OF_CREDENTIALS))
    target = read_url(address)
    if not outbound.policy.trusts(target) and not _PATH.fullmatch(target.path.partition("?")[0]):
        raise SettingInvalid(
            "The address of an incoming webhook ends with /hooks/ and an id of letters and digits. " + CREATE_WEBHOOK
        )
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_host(settings.get("address", ""), outbound.policy)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS)
    accepted = read_response(response, address, _find_word(response.body), WORDS)
    require_own_word(response.body.strip() == b"ok", response, address)
    return accepted


def _compose(message: Message) -> str:
    facts = [f"**{label}:** {_quote(value)}" for label, value in message.facts.items()]
    link = [f"[{I_SEE_IT}]({message.receipt_link})"] if message.receipt_link else []
    # Two spaces at the end of a line break it.
    return json.dumps({"text": "  \n".join([_quote(message.title), message.explanation, *facts, *link])})


def _quote(text: str) -> str:
    """Return a name as code, in which Mattermost looks for no mention, link, emoji nor markup.

    It is also broken up where one would begin, for whatever shows the text without Markdown. The server replaces the
    mentions of Slack, such as <!channel>, in code too.
    """
    broken_up = _SEPARATED.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", text.replace("`", "'"))
    return f"`{broken_up}`" if broken_up else ""


def _find_word(body: bytes) -> str | None:
    """Return the id of an error, or None if it is not known."""
    word = read_json(body).get("id")
    return word if isinstance(word, str) and word in WORDS else None


CHANNEL = Channel(
    label="Mattermost",
    accepted="Accepted by Mattermost",
    after_accepted="No message in Mattermost? Under Integrations, Incoming Webhooks, check the channel of the webhook.",
    guide=(
        "In Mattermost, open the product menu, choose Integrations, and choose Incoming Webhooks. If Integrations is "
        "missing, ask a system admin of Mattermost for it.",
        "Choose Add Incoming Webhook, enter a title, choose the channel that should receive alerts, and choose Save.",
        "Copy the URL and paste it here. Treat it like a password: anyone who has it can post to the channel.",
        "If Mattermost is in a private network, ask your Alertcheck administrator to allow its address.",
    ),
    fields=(
        Field(
            name="address",
            label="Webhook address",
            kind=FieldKind.ADDRESS,
            help="It has /hooks/ in it. Find it in Mattermost under Integrations, Incoming Webhooks.",
            check=_check,
        ),
    ),
    targets=_targets,
    preview=preview_of(_compose),
    send=_send,
    words=WORDS,
    hints={
        Code.CONFIG_INCOMPLETE: f"The address is missing. {CREATE_WEBHOOK}",
        Code.BAD_REQUEST: f"Check that this is the address of an incoming webhook. {CREATE_WEBHOOK}",
        Code.FORBIDDEN: (
            "Ask a system admin of Mattermost to enable incoming webhooks (System Console, Integrations, Integration "
            "Management), and check that the webhook's creator is active and may post to the channel. Otherwise, check "
            "the proxy or firewall in front of Mattermost."
        ),
        Code.NOT_FOUND: f"The webhook was deleted, or its address is not complete. {CREATE_WEBHOOK}",
        Code.METHOD_NOT_ALLOWED: f"Check that this is the address of an incoming webhook. {CREATE_WEBHOOK}",
        Code.GONE: f"The channel was archived or deleted. Unarchive it, or choose another channel. {CREATE_WEBHOOK}",
        Code.RATE_LIMITED: (
            "Send another test when the waiting time is over, or in a minute if none is named. A system admin of "
            "Mattermost can raise its rate limit (System Console, Environment)."
        ),
        Code.REMOTE_REJECTED: f"Check that this is the address of an incoming webhook. {CREATE_WEBHOOK}",
    },
)
