"""Microsoft Teams, through a workflow (Power Automate) that posts a card to a chat or channel.

Source: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams", and Adaptive Cards 1.2.
"""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from webapp.channels.addresses import ServiceAddresses, check_address
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, IdleLimit, get_setting, preview_of
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.hosted_service import make_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.http.response_classification import is_web_page
from webapp.outbound.policy.counted_targets import SendTarget, find_url

# Microsoft's clouds: worldwide, US government (GCC, GCC High, DoD) and China. The last three are older addresses.
HOSTS = (
    "*.environment.api.powerplatform.com",
    "*.environment.api.gov.powerplatform.microsoft.us",
    "*.environment.api.high.powerplatform.microsoft.us",
    "*.api.appsplatform.us",
    "*.powerplatform.partner.microsoftonline.cn",
    "*.logic.azure.com",
    "*.logic.azure.us",
    "*.logic.azure.cn",
)

# The hosts of the pages on which people work with Teams and its flows.
PAGES = (
    "teams.microsoft.com",
    "*.teams.microsoft.com",
    "teams.cloud.microsoft",
    "teams.live.com",
    "*.powerautomate.com",
    "*.flow.microsoft.com",
    "portal.azure.com",
)

# The values of `error.code` that Power Automate returns, each with what it means. Any other value is not shown.
WORDS = {
    "AuthorizationFailed": Code.AUTH_FAILED,
    "DirectApiAuthorizationRequired": Code.AUTH_FAILED,
    "DirectApiInvalidAuthorizationScheme": Code.AUTH_FAILED,
    "DirectApiRequestHasMoreThanOneAuthorization": Code.AUTH_FAILED,
    "EnvironmentNotFound": Code.NOT_FOUND,
    "FlowNotFound": Code.NOT_FOUND,
    "GatewayTimeout": Code.GATEWAY_GAVE_UP,
    "InvalidApiVersionParameter": Code.BAD_REQUEST,
    "InvalidRequestContent": Code.BAD_REQUEST,
    "MisMatchingOAuthClaims": Code.AUTH_FAILED,
    "MissingApiVersionParameter": Code.BAD_REQUEST,
    "NoResponse": Code.GATEWAY_GAVE_UP,
    "RequestEntityTooLarge": Code.PAYLOAD_TOO_LARGE,
    "TooManyRequests": Code.RATE_LIMITED,
    "TriggerInputSchemaMismatch": Code.BAD_REQUEST,
    "TriggerRequestMethodNotValid": Code.METHOD_NOT_ALLOWED,
    "WorkflowDisabled": Code.NOT_FOUND,
    "WorkflowNotFound": Code.NOT_FOUND,
    "WorkflowTriggerIsNotEnabled": Code.NOT_FOUND,
    "WorkflowTriggerNotFound": Code.NOT_FOUND,
}

CREATE_WORKFLOW = (
    "In Teams, open the channel's menu, choose Workflows, choose the template for sending webhook alerts to a channel, "
    "and enter the address that Teams shows at the end in the settings of the destination."
)
ALLOW_ANYONE = (
    'In Power Automate, open the flow, open its trigger "When a Teams webhook request is received", set '
    '"Who can trigger the flow?" to "Anyone", save, and enter the whole new address in the settings '
    "of the destination."
)
RIGHT_TRIGGER = (
    "In Power Automate, check that the flow begins with the trigger "
    '"When a Teams webhook request is received", and paste its whole address again.'
)


# Source: Microsoft Learn, "Limits of automated, scheduled, and instant flows", on flows without a premium license.
IDLE_LIMIT = IdleLimit(
    "Microsoft turns off a flow that has not run for 90 days.",
    warn_after=timedelta(days=60),
    turned_off_after=timedelta(days=90),
)


def _check(text: str, outbound: OutboundClient) -> str:
    address = check_address(text, outbound, _service(outbound))
    if not parse_qs(urlsplit(address).query).get("sig"):
        raise SettingInvalid(
            "This workflow accepts requests only from its own organization, or its address is incomplete (it has no "
            f"sig). {ALLOW_ANYONE}"
        )
    return address


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_url(settings.get("address", ""), outbound.policy, HOSTS, frozenset({"sig"}))


def _service(outbound: OutboundClient) -> ServiceAddresses:
    return ServiceAddresses(
        f"Remove them. {CREATE_WORKFLOW}", "Microsoft Teams", _hosts(outbound), PAGES, CREATE_WORKFLOW
    )


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = get_setting(settings, "address")
    # No Authorization header: the service refuses it in addition to the signature in the address.
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    accepted = read_response(response, address, _find_word(response.body), WORDS)
    # A started flow answers with nothing, or with what its maker lets it answer: a page is somebody else's.
    require_own_word(not is_web_page(response), response, address, response.status)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("teams", ())


def _compose(message: Message) -> str:
    """Wrap the card in `attachments`. Without them, the flow accepts the request but fails later, unnoticed.

    Without `summary` and the card's `fallbackText`, a notification on a phone says only "Card".
    """
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": _card(message)}
    return json.dumps({"type": "message", "summary": _without_links(message.title), "attachments": [attachment]})


def _card(message: Message) -> dict[str, object]:
    link = message.receipt_link
    facts = [{"title": label, "value": _without_links(value)} for label, value in message.facts.items()]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": f"{_without_links(message.title)}. {message.explanation}",
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


def _find_word(body: bytes) -> str | None:
    """Return the service's error code from `{"error": {"code": ...}}`, or None if it is not a known code."""
    error = read_json(body).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and code in WORDS else None


CHANNEL = Channel(
    label="Microsoft Teams",
    accepted="Accepted by Microsoft Teams",
    after_accepted=(
        "No card in Teams? Open the flow in Power Automate and check its run history. “attachments … Null” or "
        "“Property 'type' must be 'AdaptiveCard'” there means a flow that was built by hand: create one from the "
        "template “Send webhook alerts to a channel”, and enter its address in the settings of the destination."
    ),
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
    preview=preview_of(_compose),
    send=_send,
    hosts=HOSTS,
    words=WORDS,
    idle_limit=IDLE_LIMIT,
    hints=make_hints("Microsoft Teams", "Teams", "status.cloud.microsoft", CREATE_WORKFLOW)
    | {
        Code.HOST_NOT_EXPECTED: (
            "Check that the type of the destination matches its address. If this is the address of a connector, "
            f"Microsoft has retired it. {CREATE_WORKFLOW}"
        ),
        Code.BAD_REQUEST: RIGHT_TRIGGER,
        Code.METHOD_NOT_ALLOWED: RIGHT_TRIGGER,
        Code.AUTH_FAILED: ALLOW_ANYONE,
        Code.FORBIDDEN: ALLOW_ANYONE,
        Code.NOT_FOUND: (
            "The flow is turned off or was deleted. In Power Automate, look for it under My flows, and turn it on. "
            f"If it is gone, create a new one. {CREATE_WORKFLOW}"
        ),
        Code.RATE_LIMITED: (
            "The flow's owner has used up the requests of their plan. Send another test when the waiting time is over, "
            "or ask the owner to change the plan."
        ),
    },
)
