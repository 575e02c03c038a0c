"""Jira Service Management, through an API integration of its operations, which replace Opsgenie.

Sources: Atlassian's developer documentation, "Integration events"; Atlassian's issue JSDCLOUD-14179 for
`identifierType`, which that page leaves out.
"""

import json
from urllib.parse import quote

from webapp.channels.addresses import ServiceAddresses, check_server
from webapp.channels.contract import JSON, JSON_HEADERS, Accepted, Channel, Part, Preview, get_setting
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.paging import cut, make_pager_hints, open_and_close
from webapp.channels.plain_names import prevent_links, prevent_links_in
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_account
from webapp.outbound.policy.pasted_urls import strip_wrapping

HOSTS = ("api.atlassian.com",)
SERVER = f"https://{HOSTS[0]}"
PATH = "/jsm/ops/integration/v2/alerts"

# The hosts of the pages on which people work with Jira.
PAGES = ("atlassian.com", "*.atlassian.com", "*.atlassian.net", "*.jira.com")

KEY_LENGTHS = range(20, 129)
MAX_MESSAGE = 130
MAX_ALIAS = 512

# What Jira Service Management says is wrong. Any other text of it is not shown.
WORDS = {
    "Could not authenticate": Code.AUTH_FAILED,
    "Key format is not valid!": Code.AUTH_FAILED,
    "You are making too many requests!": Code.RATE_LIMITED,
}
GET_KEY = (
    "In Jira Service Management, open the team's operations, choose Integrations, choose the API integration, copy its "
    "API key, and enter it in the settings of the destination."
)
STILL_OPEN = "The alert may still be open: close it in Jira Service Management."


def _check_key(text: str, outbound: OutboundClient) -> str:
    key = strip_wrapping(text).removeprefix("GenieKey ").strip()
    if not (key.isascii() and key.replace("-", "").isalnum() and len(key) in KEY_LENGTHS):
        raise SettingInvalid(f"An API key has letters, digits and hyphens, and nothing else. {GET_KEY}")
    return key


def _check_server(text: str, outbound: OutboundClient) -> str:
    instead = "Remove them: the API key has its own field."
    service = ServiceAddresses(instead, "Jira Service Management", _hosts(outbound), PAGES, f"Enter {SERVER}.")
    return check_server(text, outbound, service)


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_account(settings.get("server", ""), outbound.policy, settings.get("api_key", ""))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "server")
    get_setting(settings, "api_key")
    bodies = [_compose(message)] + [_compose_closing(message)] * _is_test(message)
    headers = _headers("(the API key, not shown)")
    return Preview("POST", headers, tuple(Part(JSON, body) for body in bodies))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address, headers = f"{get_setting(settings, 'server')}{PATH}", _headers(get_setting(settings, "api_key"))
    closing = f"{address}/{quote(_alias(message), safe='')}/close?identifierType=alias"

    def open_alert(client: OutboundClient) -> Accepted:
        return _post(address, _compose(message), headers, client)

    def close_alert(client: OutboundClient) -> Accepted:
        return _post(closing, _compose_closing(message), headers, client)

    return open_and_close(outbound, open_alert, close_alert, STILL_OPEN) if _is_test(message) else open_alert(outbound)


def _post(address: str, body: str, headers: dict[str, str], outbound: OutboundClient) -> Accepted:
    response = outbound.post(address, body.encode(), headers, _hosts(outbound))
    answer = read_json(response.body)
    word = answer.get("message")
    accepted = read_response(response, address, word if isinstance(word, str) and word in WORDS else None, WORDS)
    request_id = answer.get("requestId")
    require_own_word(isinstance(request_id, str) and request_id != "", response, address, 202)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("jira_service_management", ())


def _headers(key: str) -> dict[str, str]:
    return {**JSON_HEADERS, "Authorization": f"GenieKey {key}"}


def _is_test(message: Message) -> bool:
    return message.alert is None


def _alias(message: Message) -> str:
    """Return the name of the alert: the same for every attempt, so that a repeated one joins the alert it opened."""
    return message.message_id[:MAX_ALIAS]


def _compose(message: Message) -> str:
    # The names are in the details, which are plain text, unlike the description.
    link = f"\n\n{I_SEE_IT}: {message.receipt_link}" if message.receipt_link else ""
    return json.dumps(
        {
            "message": cut(prevent_links(message.subject), MAX_MESSAGE),
            "alias": _alias(message),
            "description": f"{message.explanation}{link}",
            "details": prevent_links_in(message.facts),
            "source": "Alertcheck",
            "tags": ["alertcheck", "test"] if _is_test(message) else ["alertcheck"],
            "priority": "P5" if _is_test(message) else "P1",
        }
    )


def _compose_closing(message: Message) -> str:
    return json.dumps({"source": "Alertcheck", "note": "This was a test. Alertcheck closes its alert at once."})


CHANNEL = Channel(
    label="Jira Service Management",
    accepted="Accepted by Jira Service Management",
    after_accepted=(
        "No alert in Jira Service Management? A test is closed at once, so look among the closed alerts of the team. "
        "Check also that the integration is turned on and assigned to the team."
    ),
    guide=(
        "In Jira Service Management, open the operations of the team that alerts should reach, choose Integrations, "
        "and then Add integration.",
        "Choose API, enter a name such as Alertcheck, choose the team, and choose Continue.",
        "Under Steps to configure the integration, copy the API key and paste it here. Treat it like a password: "
        "anyone who has it can page people.",
        "Choose Turn on integration. Until then, Jira Service Management refuses its messages.",
        "A test opens an alert of the lowest priority, P5, and closes it at once. It may still call whoever is on "
        "call, so Alertcheck asks before each test.",
    ),
    fields=(
        Field(
            name="api_key",
            label="API key",
            kind=FieldKind.SECRET,
            help="The key of an API integration of a team's operations, not an API token of your Atlassian account.",
            check=_check_key,
        ),
        Field(
            name="server",
            label="Server",
            kind=FieldKind.SERVER,
            help="It is the same for all accounts of Jira Service Management in the cloud.",
            check=_check_server,
            default=SERVER,
        ),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hosts=HOSTS,
    pages_people=True,
    after_paging="The alert is closed at once.",
    words=WORDS,
    hints=make_pager_hints(
        "Jira Service Management",
        "an alert, close it in Jira Service Management",
        "jira-service-management.status.atlassian.com",
        SERVER,
        GET_KEY,
    )
    | {
        Code.AUTH_FAILED: (
            "Jira Service Management does not know the API key: the integration was deleted, or this is an API token "
            f"of an account. {GET_KEY}"
        ),
        Code.FORBIDDEN: (
            "The integration may not create alerts. In Jira Service Management, check that it is turned on, that it "
            "allows create and update access, and that the team's plan includes it."
        ),
        Code.BAD_REQUEST: (
            f"Check that the key is that of an API integration, and that the integration is turned on. {GET_KEY}"
        ),
        Code.RATE_LIMITED: (
            "Jira Service Management got too many requests. Send another test when the waiting time is over, or in a "
            "few minutes if none is named."
        ),
    },
)
