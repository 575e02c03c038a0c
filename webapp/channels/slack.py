"""Slack, through an incoming webhook.

Source: Slack's developer documentation, "Sending messages using incoming webhooks", including its table of errors.
"""

import json
from urllib.parse import urlsplit

from webapp.channels.addresses import ServiceAddresses, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, get_setting, preview_of
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.hosted_service import make_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_url

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")

# The hosts of the pages on which people work with Slack.
PAGES = ("slack.com", "*.slack.com", "slack-gov.com", "*.slack-gov.com")

# The words that Slack returns instead of `ok`, each with what it means. Any other response is not shown.
WORDS = {
    "action_prohibited": Code.FORBIDDEN,
    "channel_is_archived": Code.GONE,
    "channel_not_found": Code.NOT_FOUND,
    "invalid_blocks": Code.BAD_REQUEST,
    "invalid_blocks_format": Code.BAD_REQUEST,
    "invalid_payload": Code.BAD_REQUEST,
    "invalid_token": Code.NOT_FOUND,
    "message_limit_exceeded": Code.RATE_LIMITED,
    "missing_text_or_fallback_or_attachments": Code.BAD_REQUEST,
    "no_active_hooks": Code.NOT_FOUND,
    "no_service": Code.NOT_FOUND,
    "no_service_id": Code.NOT_FOUND,
    "no_team": Code.NOT_FOUND,
    "no_text": Code.BAD_REQUEST,
    "posting_to_general_channel_denied": Code.FORBIDDEN,
    "rate_limited": Code.RATE_LIMITED,
    # An error on Slack's side that delivered nothing. A retry makes sense, unlike for a 500 without this word.
    "rollup_error": Code.REMOTE_UNAVAILABLE,
    "team_disabled": Code.NOT_FOUND,
    "too_many_attachments": Code.BAD_REQUEST,
    "user_not_found": Code.NOT_FOUND,
}
CREATE_WEBHOOK = (
    "Open api.slack.com/apps, choose the app, choose Incoming Webhooks, choose Add New Webhook to Workspace, "
    "choose the channel, and enter the new address in the settings of the destination."
)


def _check(text: str, outbound: OutboundClient) -> str:
    service = ServiceAddresses(f"Remove them. {CREATE_WEBHOOK}", "Slack", _hosts(outbound), PAGES, CREATE_WEBHOOK)
    address = check_address(text, outbound, service)
    parts = urlsplit(address)
    if parts.hostname in HOSTS and not parts.path.startswith("/services/"):
        raise SettingInvalid(f"This is not the address of an incoming webhook. {CREATE_WEBHOOK}")
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_url(settings.get("address", ""), outbound.policy, HOSTS)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    word = _find_word(response.body)
    accepted = read_response(response, address, word, WORDS)
    require_own_word(response.body.strip() == b"ok", response, address)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("slack", ())


def _compose(message: Message) -> str:
    return json.dumps({"text": _text(message), "unfurl_links": False, "unfurl_media": False})


def _text(message: Message) -> str:
    facts = [f"*{label}:* {_escape(value)}" for label, value in message.facts.items()]
    link = [f"<{_escape(message.receipt_link)}|{I_SEE_IT}>"] if message.receipt_link else []
    return "\n".join([f"*{_escape(message.title)}*", message.explanation, *facts, *link])


def _escape(text: str) -> str:
    """Prevent a name from becoming a link or notifying the whole channel. Slack requires exactly these escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _find_word(body: bytes) -> str | None:
    """Return the word that is the whole body, or the `error` in it if it is JSON, or None if Slack has no such word."""
    word = read_json(body).get("error", body.strip().decode("ascii", "replace"))
    return word if isinstance(word, str) and word in WORDS else None


CHANNEL = Channel(
    label="Slack",
    accepted="Accepted by Slack",
    after_accepted="No message in Slack? On the app's page, under Incoming Webhooks, check which channel it posts to.",
    guide=(
        "Open api.slack.com/apps and choose an app. To create one, choose Create New App, choose From scratch, enter a "
        "name, and choose your workspace.",
        "In the app's settings, choose Incoming Webhooks and turn on Activate Incoming Webhooks.",
        "Choose Add New Webhook to Workspace, choose the channel that should receive alerts, and choose Allow.",
        "Under Webhook URLs for Your Workspace, choose Copy beside the new address and paste it here. Treat it like a "
        "password: anyone who has it can post to the channel.",
    ),
    fields=(
        Field(
            name="address",
            label="Webhook address",
            kind=FieldKind.ADDRESS,
            help="It begins with https://hooks.slack.com/services/. Find it on the app's page, Incoming Webhooks.",
            check=_check,
        ),
    ),
    targets=_targets,
    preview=preview_of(_compose),
    send=_send,
    hosts=HOSTS,
    words=WORDS,
    hints=make_hints("Slack", "Slack", "slack-status.com", CREATE_WEBHOOK)
    | {
        Code.BAD_REQUEST: (
            "Check that this is the address of an incoming webhook, not of a workflow or an older integration. "
            f"{CREATE_WEBHOOK}"
        ),
        Code.AUTH_FAILED: f"The address is not valid or is no longer valid. {CREATE_WEBHOOK}",
        Code.FORBIDDEN: (
            "An admin of the Slack workspace has restricted who may post to this channel. Ask the admin to allow the "
            "app (Manage apps), or choose another channel."
        ),
        Code.NOT_FOUND: (
            "The address is no longer valid: the webhook, its channel, its user, its app or the Slack workspace was "
            f"removed or turned off. {CREATE_WEBHOOK}"
        ),
        Code.GONE: f"The channel is archived. Unarchive it, or post to another channel. {CREATE_WEBHOOK}",
        Code.RATE_LIMITED: (
            "Slack accepts about one message a second per webhook. Send another test when the waiting time is over, or "
            "in a minute if none is named."
        ),
        Code.REMOTE_REJECTED: f"Check that this is the address of an incoming webhook. {CREATE_WEBHOOK}",
    },
)
