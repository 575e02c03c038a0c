"""Checks the address that someone pastes into a form, and says everything that is wrong with it at once.

An error names the host at most: the rest of the address is a secret.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from webapp.channels.fields import SettingInvalid
from webapp.failures import MEANINGS, Cause, Code, DeliveryFailed, Facts, describe
from webapp.outbound import OutboundClient
from webapp.outbound.policy.allowed_targets import Policy, find_problems
from webapp.outbound.policy.hostnames import matches
from webapp.outbound.policy.opened_networks import may_be_opened
from webapp.outbound.policy.pasted_urls import read_pasted
from webapp.outbound.policy.urls import MAX_URL, Target, read_url

COPY_AGAIN = "Copy the whole address again, exactly as the provider shows it."

_CREDENTIALS = re.compile(r"(?:https?://)?[^/?#]*@(?P<host>[^/?#@:]*)", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"(?:mailto:)?[^\s/@:]+@[^\s/@:]+\.[^\s/@:]+", re.IGNORECASE)
_TWO_ADDRESSES = re.compile(r"https?://\S*(?:[^\s=/?&]|/)https?://", re.IGNORECASE)

# How to get what replaces a retired service.
_GET_SUCCESSOR = {
    Cause.TEAMS_CONNECTOR: (
        "In Teams, open the channel's menu, choose Workflows, choose the template for sending webhook alerts to a "
        "channel, and copy the address that Teams shows at the end."
    ),
    Cause.OPSGENIE: (
        "In Jira Service Management, open the team's operations, choose Integrations, add an API integration, and copy "
        "its API key."
    ),
}


@dataclass(frozen=True)
class ServiceAddresses:
    """Whose addresses a channel accepts.

    instead_of_credentials: what to do instead of writing a user and a password into the address.
    name, hosts: of a service with its own hosts, which are patterns. None for any public host.
    pages: the patterns of hosts that only have pages for people. get_address: where a webhook's address is found.
    """

    instead_of_credentials: str
    name: str | None = None
    hosts: tuple[str, ...] | None = None
    pages: tuple[str, ...] = ()
    get_address: str = COPY_AGAIN


def check_address(text: str, outbound: OutboundClient, service: ServiceAddresses) -> str:
    """Return the canonical form of an address that messages may be posted to. Raises `SettingInvalid`."""
    address = read_pasted(text)
    _refuse_half_addresses(address)
    _refuse_credentials(address, service.instead_of_credentials)
    target = _read(address)
    problems = find_problems(target, outbound.policy, service.hosts)
    if Code.HOST_NOT_EXPECTED in problems:
        refuse_retired_service(target)
    if Code.DEMO_RECEIVER_ONLY in problems:
        raise SettingInvalid(_describe_demo(target, outbound.policy))
    if problems:
        raise SettingInvalid(_describe(target, problems, service, outbound.policy))
    return target.url


def check_server(text: str, outbound: OutboundClient, service: ServiceAddresses) -> str:
    """Return the canonical URL of a service's API, without a slash at its end. Raises `SettingInvalid`.

    Only a trusted origin may have a path: elsewhere, it is the rest of a request's address, which may hold a secret.
    """
    target = read_url(check_address(text, outbound, service))
    if target.path != "/" and not outbound.policy.trusts(target):
        raise SettingInvalid(f"Enter the server only: {target.origin.url}. Alertcheck adds what follows it.")
    if "?" in target.path:
        raise SettingInvalid("The server's address has a ? in it. Remove it, and what follows it.")
    return target.url.rstrip("/")


def refuse_retired_service(target: Target) -> None:
    """Raise `SettingInvalid` for the address of a service that has ended or soon will, with what to do instead."""
    if target.retired_service is not None:
        sentence = describe(Code.HOST_NOT_EXPECTED, Facts(target.host, cause=target.retired_service))
        raise SettingInvalid(f"{sentence} {_GET_SUCCESSOR[target.retired_service]}")


def find_target(text: str) -> Target | None:
    """Return the target of a pasted address, or None if there is no address in the text."""
    try:
        return read_url(read_pasted(text))
    except DeliveryFailed:
        return None


def find_parameter(address: str, name: str) -> str:
    """Return the value of a parameter in the query of an address, blank if there is none."""
    return dict(parse_qsl(address.partition("?")[2])).get(name, "")


def set_parameters(address: str, values: Mapping[str, str]) -> str:
    """Return the address with these parameters in its query instead of its own of the same names. Blank: removed."""
    start, _, query = address.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in values]
    new = [(name, value) for name, value in values.items() if value]
    return f"{start}?{urlencode([*kept, *new])}"


def _refuse_half_addresses(address: str) -> None:
    """Raise `SettingInvalid` for a text that is not exactly one complete web address."""
    if _MAIL_ADDRESS.fullmatch(address):
        raise SettingInvalid("This is an email address. To send email, add a destination of type Email instead.")
    if "…" in address:
        raise SettingInvalid(f"The address was shortened: it has … in it. {COPY_AGAIN}")
    if any(character.isspace() for character in address) or _TWO_ADDRESSES.match(address):
        raise SettingInvalid(f"This is more than one address, or there is a space in it. {COPY_AGAIN}")
    if len(address) > MAX_URL:
        raise SettingInvalid(f"The address is longer than {MAX_URL} characters. {COPY_AGAIN}")
    if "#" in address[1:]:  # at the beginning, it is that of a channel's name
        raise SettingInvalid(
            "The address has a # in it. Nothing from the # on reaches the receiver: remove it, and what follows it."
        )


def _refuse_credentials(address: str, instead: str) -> None:
    found = _CREDENTIALS.match(address)
    if found is not None:
        target = find_target(f"https://{found['host']}")
        before = f" of {target.host}" if target else ""
        raise SettingInvalid(
            f"The address{before} has a user name or a password in it, in front of the @. Alertcheck does not support "
            f"credentials in an address. {instead}"
        )


def _read(address: str) -> Target:
    try:
        return read_url(address)
    except DeliveryFailed as failure:
        raise SettingInvalid(_describe_unreadable(failure.code, address)) from None


def _describe_unreadable(code: Code, address: str) -> str:
    if code is Code.SCHEME_NOT_ALLOWED or "://" not in address:
        return f"This is not a web address: it does not begin with https://. {COPY_AGAIN}"
    if code is Code.TARGET_NOT_ALLOWED:
        return f"The host in this address is not a valid host name. {COPY_AGAIN}"
    return f"The address cannot be used as it is written. {COPY_AGAIN}"


def _describe_demo(target: Target, policy: Policy) -> str:
    known = next((origin.url for origin in policy.demo_routes if origin.host == target.host), None)
    if known:
        return f"The demo's receiver has this host at {known} only. Copy an address from the Demo panel."
    code = Code.DEMO_RECEIVER_ONLY
    is_public = policy.demo_mail_domain is not None
    next_step = "Use one of the addresses that your demo panel lists." if is_public else MEANINGS[code].next_step
    return f"{describe(code, Facts(target.host))} {next_step}"


def _describe(target: Target, problems: list[Code], service: ServiceAddresses, policy: Policy) -> str:
    if Code.HOST_NOT_EXPECTED in problems and matches(target.host, service.pages):
        return f"{target.host} has pages of {service.name}, but no webhook. {service.get_address}"
    if problems == [Code.SCHEME_NOT_ALLOWED] and service.hosts is not None:
        return f"The address of {target.host} begins with http:// instead of https://. Enter it with https://."
    if problems == [Code.HOST_NOT_EXPECTED]:
        return (
            f"{target.host} is not a host of {service.name}, so the address does not match the type of the "
            "destination. If it is a receiver of your own, add a destination of type Webhook instead."
        )
    words = {
        Code.SCHEME_NOT_ALLOWED: "begins with http:// instead of https://",
        Code.PORT_NOT_ALLOWED: f"uses port {target.port} instead of {_enumerate_ports(target, policy)}",
        Code.TARGET_NOT_ALLOWED: "is not on the public internet",
        Code.HOST_NOT_EXPECTED: f"does not belong to {service.name}",
    }
    found = _enumerate([words[code] for code in problems])
    return (
        f"The address of {target.host} {found}. Use an https:// address on port 443 of the public internet. If this is "
        f"a receiver of your organization, ask your Alertcheck administrator to allow {_name_lacking(target, policy)}, "
        f"or to add {target.origin.url} to ALERTCHECK_TRUSTED_ORIGINS."
    )


def _name_lacking(target: Target, policy: Policy) -> str:
    """Return what private receivers at this target need, without a word about where the host is."""
    port = "" if target.port in policy.opened_ports else f"port {target.port} in ALERTCHECK_ALLOWED_PORTS"
    network = "its network in ALERTCHECK_ALLOWED_NETWORKS"
    if may_be_opened(target.host, policy.opened_networks, policy.denied_networks):
        return port or network
    return f"{network}, and {port}" if port else network


def _enumerate_ports(target: Target, policy: Policy) -> str:
    """Return the ports that a target may have: those of private receivers only if it may be one."""
    if not may_be_opened(target.host, policy.opened_networks, policy.denied_networks):
        return "443"
    return " or ".join(str(port) for port in sorted(policy.opened_ports))


def _enumerate(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + parts[-1]
