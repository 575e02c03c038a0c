"""Microsoft Teams, through a workflow (Power Automate) that posts a card to a chat or channel.

Source: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams", and Adaptive Cards 1.2.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

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
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.send_targets import SendTarget, find_url

HOSTS = ("*.environment.api.powerplatform.com", "*.logic.azure.com")

# The values of `error.code` that are shown. Any other value is not.
ERROR_CODES = frozenset(
    {
        "DirectApiAuthorizationRequired",
        "MissingApiVersionParameter",
        "TriggerInputSchemaMismatch",
        "WorkflowNotFound",
        "WorkflowTriggerIsNotEnabled",
    }
)
RETIRED_CONNECTOR = re.compile(
    r"https?://(?:[\w-]+\.)*(?:webhook\.office\.com|outlook\.office(?:365)?\.com/webhook)\b", re.IGNORECASE
)

CREATE_WORKFLOW = (
    "In Teams, open the channel's menu, choose Workflows, choose the template for sending webhook alerts to a channel, "
    "and paste the address that Teams shows at the end."
)
ALLOW_ANYONE = (
    'In Power Automate, open the flow, open its trigger "When a Teams webhook request is received", set '
    '"Who can trigger the flow?" to "Anyone", save, and paste the new address here.'
)


def _check(text: str, outbound: OutboundClient) -> str:
    if RETIRED_CONNECTOR.match(text.strip()):
        raise SettingInvalid(f"This address belongs to a connector, which Microsoft has retired. {CREATE_WORKFLOW}")
    address = check_address(text, outbound, _hosts(outbound))
    if not parse_qs(urlsplit(address).query).get("sig"):
        raise SettingInvalid(
            f"This workflow accepts requests only from its own organization (its address has no sig). {ALLOW_ANYONE}"
        )
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_url(settings.get("address", ""), outbound.policy, HOSTS, frozenset({"sig"}))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    return preview_post(settings, _compose(message))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    # No Authorization header: the service refuses it in addition to the signature in the address.
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    require_2xx(response, address, _error_code(response.body))
    return Accepted(response.status)


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("teams", ())


def _compose(message: Message) -> str:
    """Wrap the card in `attachments`. Without them, the flow accepts the request but fails later, unnoticed."""
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": _card(message)}
    return json.dumps({"type": "message", "attachments": [attachment]})


def _card(message: Message) -> dict[str, object]:
    link = message.receipt_link
    facts = [{"title": label, "value": _without_links(value)} for label, value in message.facts.items()]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [
            {"type": "TextBlock", "text": _without_links(message.title), "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": message.explanation, "wrap": True},
            {"type": "FactSet", "facts": facts},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": I_SEE_IT, "url": link}] if link else [],
    }


def _without_links(text: str) -> str:
    """Prevent a name from becoming a link, because cards render Markdown."""
    return text.replace("](", "] (")


def _error_code(body: bytes) -> str | None:
    """Return the service's error code from `{"error": {"code": ...}}`, or None if it is not a known code."""
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return code if isinstance(code, str) and code in ERROR_CODES else None


CHANNEL = Channel(
    label="Microsoft Teams",
    accepted="Accepted by Microsoft Teams",
    after_accepted="No card in Teams? Open the flow in Power Automate and check its run history.",
    guide=(
        "In Teams, find the channel that should receive alerts, and choose More options (…) beside its name.",
        "Choose Workflows, search for “webhook”, and choose the template “Send webhook alerts to a channel”.",
        "Check the team and the channel, then save.",
        "Choose “Copy webhook link” and paste the whole link here. Treat it like a password: anyone who has it can "
        "post to the channel.",
        "If the link has no sig= in it, open the flow in Power Automate, open its trigger “When a Teams webhook "
        "request is received”, set “Who can trigger the flow?” to “Anyone”, save, and paste the new link here.",
    ),
    fields=(
        Field(
            name="address",
            label="Workflow address",
            kind=FieldKind.ADDRESS,
            help="In Teams, create a workflow for webhook alerts (channel menu, Workflows). Paste its whole address.",
            check=_check,
        ),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hints={
        Code.HOST_NOT_EXPECTED: f"If this is the address of a connector, Microsoft has retired it. {CREATE_WORKFLOW}",
        Code.BAD_REQUEST: (
            "In Power Automate, check that the flow begins with the trigger "
            '"When a Teams webhook request is received", and paste its whole address again.'
        ),
        Code.AUTH_FAILED: ALLOW_ANYONE,
        Code.FORBIDDEN: ALLOW_ANYONE,
        Code.NOT_FOUND: (
            "In Power Automate, look for the flow under My flows. If it is off, turn it on. "
            "If it is gone, create a new workflow and paste its address here."
        ),
        Code.RATE_LIMITED: "The flow's owner has used up the requests of their plan. Wait, or ask them to change it.",
    },
)
