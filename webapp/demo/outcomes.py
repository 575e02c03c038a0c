"""What the demo's receiver can do, in the words of the panel, and the address that selects each outcome."""

import secrets
from collections.abc import Mapping
from enum import StrEnum

from webapp.demo.receiver.scenarios import Certificate, Mailbox, Scenario, Service
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.settings import Demo

RESPONSES: Mapping[StrEnum, str] = {
    Scenario.WORKS: "Works",
    Scenario.MISSING: "404: not found",
    Scenario.BUSY_TWICE: "Busy twice, then works",
    Scenario.SILENT: "Silent: never answers",
    Scenario.SLOW: "Slow: answers after 2 s",
    Scenario.SIGN_IN: "Sign-in page (302)",
    Scenario.WEB_PAGE: "Web page (200)",
    Scenario.TURNED_OFF: "Turned off at the service",
    Scenario.DENIED: "401: access denied",
    Scenario.LATER: "429: come back in an hour",
    Scenario.MOVED: "308: moved",
    Scenario.READ_ONLY: "405: accepts no POST",
    Scenario.GATEWAY: "504: gateway timeout",
}
# What some services do that others do not.
_OWN_RESPONSES: Mapping[Service, Mapping[StrEnum, str]] = {
    Service.TELEGRAM: {Scenario.MOVED: "400: the group has a new chat ID"},
    Service.PAGERDUTY: {Scenario.STAYS_OPEN: "Opens an incident, does not resolve it"},
    Service.JIRA_SERVICE_MANAGEMENT: {Scenario.STAYS_OPEN: "Opens an alert, does not close it"},
}
CERTIFICATES: Mapping[StrEnum, str] = {
    Certificate.VALID: "Valid certificate",
    Certificate.EXPIRED: "Wrong certificate: expired",
    Certificate.SELF_SIGNED: "Wrong certificate: self-signed",
    Certificate.OTHER_HOST: "Wrong certificate: another host's",
    Certificate.EXPIRING: "Certificate expires in a week",
}
MAILBOXES: Mapping[StrEnum, str] = {
    Mailbox.WORKS: "Works",
    Mailbox.UNKNOWN: "Refused: no such mailbox (550)",
    Mailbox.FULL: "Refused: mailbox full (552)",
    Mailbox.BUSY_TWICE: "Busy twice, then works (451)",
}


def list_responses(service: Service) -> Mapping[StrEnum, str]:
    """Return how a service may respond, each with its words."""
    return MAILBOXES if service is Service.EMAIL else {**RESPONSES, **_OWN_RESPONSES.get(service, {})}


def list_addresses(service: Service, demo: Demo) -> Mapping[StrEnum, str]:
    """Return the outcomes that an address of a service can select, each with its words."""
    if service is Service.EMAIL or not demo.has_names:
        return list_responses(service)
    wrong = {certificate: words for certificate, words in CERTIFICATES.items() if certificate is not Certificate.VALID}
    return {**list_responses(service), **wrong}


def find_choice(value: str, choices: Mapping[StrEnum, str]) -> StrEnum | None:
    """Return the outcome with this value, or None."""
    return next((choice for choice in choices if choice == value), None)


def compose_address(service: Service, outcome: StrEnum, receiver: ReceiverAddresses, mark: str) -> str:
    """Return the address of the receiver, or the recipient, that selects an outcome."""
    if service is Service.EMAIL:
        return f"{outcome}@{receiver.mail_domain}"
    if isinstance(outcome, Certificate):
        return receiver.get_url(service, Scenario.WORKS, mark, certificate=outcome)
    return receiver.get_url(service, outcome, mark)


def make_mark() -> str:
    """Return a new mark, which makes an address a place of its own that can be switched."""
    return secrets.token_urlsafe(32)
