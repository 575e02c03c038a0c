"""Slack, through an incoming webhook.

Source: Slack's developer documentation, "Sending messages using incoming webhooks", including its table of errors.
"""

import json
from urllib.parse import urlsplit

from webapp.channels.contract import (
    I_SEE_IT,
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
from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound import OutboundClient
from webapp.outbound.policy.send_targets import SendTarget, find_url

HOSTS = ("hooks.slack.com",)

# The error words that Slack returns instead of `ok`. Any other response is not shown.
ERROR_WORDS = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_payload",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "no_text",
        "posting_to_general_channel_denied",
        "rollup_error",
        "team_disabled",
        "user_not_found",
    }
)
CREATE_WEBHOOK = (
    "Open api.slack.com/apps, choose the app, choose Incoming Webhooks, choose Add New Webhook to Workspace, "
    "choose the channel, and paste the new address here."
)


def _check(text: str, outbound: OutboundClient) -> str:
    address = check_address(text, outbound, _hosts(outbound))
    parts = urlsplit(address)
    if parts.hostname in HOSTS and not parts.path.startswith("/services/"):
        raise SettingInvalid(f"This is not the address of an incoming webhook. {CREATE_WEBHOOK}")
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_url(settings.get("address", ""), outbound.policy, HOSTS)


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    return preview_post(settings, _compose(message))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    word = _error_word(response.body)
    facts = Facts(urlsplit(address).hostname, response.status, token=word)
    if response.status == 500 and word == "rollup_error":
        # Slack's word for an error on its side. A retry makes sense, unlike for a 500 without this word.
        raise DeliveryFailed(Code.REMOTE_UNAVAILABLE, facts)
    require_2xx(response, address, word)
    if response.status != 200 or response.body.strip() != b"ok":
        raise DeliveryFailed(Code.REMOTE_REJECTED if response.complete else Code.CONNECTION_CLOSED, facts)
    return Accepted(response.status)


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("slack", ())


def _compose(message: Message) -> str:
    return json.dumps({"text": _text(message), "unfurl_links": False})


def _text(message: Message) -> str:
    facts = [f"*{label}:* {_escape(value)}" for label, value in message.facts.items()]
    link = [f"<{_escape(message.receipt_link)}|{I_SEE_IT}>"] if message.receipt_link else []
    return "\n".join([f"*{_escape(message.title)}*", message.explanation, *facts, *link])


def _escape(text: str) -> str:
    """Prevent a name from becoming a link or notifying the whole channel. Slack requires exactly these escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _error_word(body: bytes) -> str | None:
    word = body.strip().decode("ascii", "replace")
    return word if word in ERROR_WORDS else None


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
    preview=_preview,
    send=_send,
    hints={
        Code.BAD_REQUEST: f"Slack did not accept the message for this webhook. {CREATE_WEBHOOK}",
        Code.FORBIDDEN: (
            "An admin of the Slack workspace has restricted who may post to this channel. Ask the admin to allow the "
            "app (Manage apps), or choose another channel."
        ),
        Code.NOT_FOUND: f"The webhook, its channel or its app was removed. {CREATE_WEBHOOK}",
        Code.GONE: f"The channel is archived. Unarchive it, or post to another channel. {CREATE_WEBHOOK}",
        Code.RATE_LIMITED: "Slack accepts about one message a second per webhook. Send another test in a minute.",
        Code.REMOTE_UNAVAILABLE: "Check slack-status.com, and send another test later.",
        Code.REMOTE_REJECTED: f"Check that this is the address of an incoming webhook. {CREATE_WEBHOOK}",
    },
)
