"""PagerDuty, through an integration of the Events API v2.

Sources: PagerDuty's developer documentation, "Send an Alert Event" and "Events API v2 Overview".
"""

import json
from functools import partial

from webapp.channels.addresses import ServiceAddresses, check_server
from webapp.channels.contract import JSON, JSON_HEADERS, Accepted, Channel, Part, Preview, get_setting
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings, hide_secrets
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.paging import cut, make_pager_hints, open_and_close
from webapp.channels.plain_names import prevent_links, prevent_links_in
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_account
from webapp.outbound.policy.pasted_urls import strip_wrapping

HOSTS = ("events.pagerduty.com", "events.eu.pagerduty.com")
SERVER = f"https://{HOSTS[0]}"
PATH = "/v2/enqueue"

# The hosts of the pages on which people work with PagerDuty.
PAGES = ("pagerduty.com", "*.pagerduty.com", "*.eu.pagerduty.com")

KEY_LENGTH = 32
MAX_SUMMARY = 1024
MAX_DEDUP_KEY = 255

# What PagerDuty says is wrong with an event. Any other text of it is not shown.
WORDS = {
    "Invalid routing key": Code.AUTH_FAILED,
    "invalid key": Code.AUTH_FAILED,
    "invalid event": Code.BAD_REQUEST,
    "throttle exceeded": Code.RATE_LIMITED,
}
GET_KEY = (
    "In PagerDuty, open the service, choose Integrations, open the integration Events API V2, copy its Integration "
    "Key, and enter it in the settings of the destination."
)
STILL_OPEN = "The incident may still be open: resolve it in PagerDuty."


def _check_key(text: str, outbound: OutboundClient) -> str:
    key = strip_wrapping(text)
    if not (key.isascii() and key.isalnum() and len(key) == KEY_LENGTH):
        raise SettingInvalid(f"An integration key has {KEY_LENGTH} letters and digits, and nothing else. {GET_KEY}")
    return key


def _check_server(text: str, outbound: OutboundClient) -> str:
    instead = "Remove them: the integration key has its own field."
    service = ServiceAddresses(instead, "PagerDuty", _hosts(outbound), PAGES, f"Enter {SERVER}.")
    return check_server(text, outbound, service)


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    return find_account(settings.get("server", ""), outbound.policy, settings.get("routing_key", ""))


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "server")
    events = _compose(hide_secrets(settings, CHANNEL.fields), message)
    return Preview("POST", JSON_HEADERS, tuple(Part(JSON, event) for event in events))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    address = f"{get_setting(settings, 'server')}{PATH}"
    trigger, *others = [partial(_post, address, event) for event in _compose(settings, message)]
    return open_and_close(outbound, trigger, others[0], STILL_OPEN) if others else trigger(outbound)


def _post(address: str, event: str, outbound: OutboundClient) -> Accepted:
    response = outbound.post(address, event.encode(), JSON_HEADERS, _hosts(outbound))
    answer = read_json(response.body)
    accepted = read_response(response, address, _find_word(answer), WORDS)
    require_own_word(answer.get("status") == "success", response, address, 202)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("pagerduty", ())


def _compose(settings: Settings, message: Message) -> list[str]:
    """Return the event that opens an incident, and for a test the event that resolves it.

    Every attempt has the same key, so that a repeated event joins the incident that it opened before.
    """
    shared = {"routing_key": get_setting(settings, "routing_key"), "dedup_key": message.message_id[:MAX_DEDUP_KEY]}
    is_test = message.alert is None
    trigger: dict[str, object] = {
        **shared,
        "event_action": "trigger",
        "payload": {
            "summary": cut(prevent_links(message.subject), MAX_SUMMARY),
            "source": "Alertcheck",
            "severity": "info" if is_test else "critical",
            "custom_details": {"Why": message.explanation, **prevent_links_in(message.facts)},
        },
        "client": "Alertcheck",
    }
    if message.receipt_link:
        trigger["links"] = [{"href": message.receipt_link, "text": I_SEE_IT}]
    resolve: dict[str, object] = {**shared, "event_action": "resolve"}
    return [json.dumps(event) for event in ([trigger, resolve] if is_test else [trigger])]


def _find_word(answer: dict[str, object]) -> str | None:
    """Return what PagerDuty says is wrong, the most specific first, or None if it is not in the list."""
    errors = answer.get("errors")
    said = [*(errors if isinstance(errors, list) else ()), answer.get("status")]
    return next((word for word in said if isinstance(word, str) and word in WORDS), None)


CHANNEL = Channel(
    label="PagerDuty",
    accepted="Accepted by PagerDuty",
    after_accepted=(
        "No incident in PagerDuty? A test is resolved at once, so look among the resolved incidents of the service. An "
        "event rule may have suppressed it."
    ),
    guide=(
        "In PagerDuty, open Services, Service Directory, and choose the service whose on-call people alerts should "
        "reach.",
        "Choose Integrations, then Add an integration. Choose Events API V2 and then Add.",
        "Open the new integration with the arrow beside it, copy its Integration Key and paste it here. Treat it like "
        "a password: anyone who has it can page people.",
        "A test opens an incident and resolves it at once. It may still call whoever is on call, so Alertcheck asks "
        "before each test.",
    ),
    fields=(
        Field(
            name="routing_key",
            label="Integration key",
            kind=FieldKind.SECRET,
            help=f"It has {KEY_LENGTH} letters and digits. Find it in PagerDuty, on the service's tab Integrations.",
            check=_check_key,
        ),
        Field(
            name="server",
            label="Server",
            kind=FieldKind.SERVER,
            help=f"Change it only if your PagerDuty account is in the EU service region: https://{HOSTS[1]}.",
            check=_check_server,
            default=SERVER,
        ),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hosts=HOSTS,
    pages_people=True,
    after_paging="The incident is resolved at once.",
    words=WORDS,
    hints=make_pager_hints("PagerDuty", "an incident, resolve it in PagerDuty", "status.pagerduty.com", SERVER, GET_KEY)
    | {
        Code.AUTH_FAILED: (
            "PagerDuty does not know the integration key: the integration was deleted, or your account is in another "
            f"service region (the server is https://{HOSTS[1]} in the EU). {GET_KEY}"
        ),
        Code.FORBIDDEN: (
            "PagerDuty refuses events of this integration. Check that the service is not disabled, and that the "
            f"integration is one of the Events API V2. {GET_KEY}"
        ),
        Code.RATE_LIMITED: (
            "PagerDuty got too many events of this integration. Send another test when the waiting time is over, or in "
            "a few minutes if none is named."
        ),
    },
)
