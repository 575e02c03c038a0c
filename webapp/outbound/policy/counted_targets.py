"""Names what receives a message, in one spelling, so that a limit can count the messages to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network
from posixpath import normpath
from urllib.parse import parse_qsl, unquote

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.hostnames import NotAHost, canonical_host, matches, parse_ip_address
from webapp.outbound.policy.public_networks import is_allowed
from webapp.outbound.policy.urls import Target, read_url

# The part of an IPv6 address that belongs to one customer of a network.
IPV6_PREFIX = 64


class TargetKind(StrEnum):
    """What a target is."""

    HOST = "host"
    URL = "url"
    RECIPIENT = "recipient"


@dataclass(frozen=True)
class SendTarget:
    """What receives a message. name: the same for every spelling of the target. Secret."""

    kind: TargetKind
    name: str = field(repr=False)


def find_host(url: str, policy: Policy) -> tuple[SendTarget, ...]:
    """Return the host of an address, for a channel that posts to any host.

    Returns nothing for a trusted origin, which the administrator runs, and for an address to which nothing is sent
    because it cannot be read. The hosts of one public IPv6 network of 64 bits count as one.
    """
    target = _find_target(url, policy)
    return (SendTarget(TargetKind.HOST, _unify_host(target.host)),) if target else ()


def find_url(
    url: str, policy: Policy, hosts: tuple[str, ...], parameters: frozenset[str] = frozenset()
) -> tuple[SendTarget, ...]:
    """Return the complete address, for a channel with its own hosts. Returns nothing where `find_host` does.

    hosts: the service's own host patterns. There, an address differs by its path and by these query `parameters`:
        other spellings of them reach the same place. On any other host, every character counts.
    """
    target = _find_target(url, policy)
    if target is None:
        return ()
    name = _unify_url(target, parameters) if matches(target.host, hosts) else target.url
    return (SendTarget(TargetKind.URL, name),)


def find_account(server: str, policy: Policy, *names: str) -> tuple[SendTarget, ...]:
    """Return what somebody has at a service: the server, and the names (keys, ids) of the receiver there.

    Returns nothing where `find_host` does, and if a name is missing.
    """
    target = _find_target(server, policy)
    if target is None or not all(names):
        return ()
    return (SendTarget(TargetKind.URL, " ".join([target.url.rstrip("/"), *names])),)


def find_recipients(addresses: Iterable[str]) -> tuple[SendTarget, ...]:
    """Return each recipient once."""
    names = dict.fromkeys(unify_recipient(address) for address in addresses)
    return tuple(SendTarget(TargetKind.RECIPIENT, name) for name in names)


def unify_recipient(address: str) -> str:
    """Return one spelling of an email address: mailboxes ignore case, although RFC 5321 lets them distinguish it."""
    mailbox, _, domain = address.strip().rpartition("@")
    try:
        domain = canonical_host(domain)
    except NotAHost:
        domain = domain.casefold()
    return f"{mailbox.casefold()}@{domain}"


def _find_target(url: str, policy: Policy) -> Target | None:
    try:
        target = read_url(url.strip())
    except DeliveryFailed:
        return None
    return None if policy.trusts(target) else target


def _unify_host(host: str) -> str:
    try:
        address = parse_ip_address(host)
    except NotAHost:
        return host
    if not isinstance(address, IPv6Address) or not is_allowed(address):
        return host
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))


def _unify_url(target: Target, parameters: frozenset[str]) -> str:
    path, _, query = target.path.partition("?")
    path = normpath(re.sub("/+", "/", unquote(path))).casefold()
    values = sorted({value for name, value in parse_qsl(query) if name.casefold() in parameters})
    return "\n".join([target.host, path, *values])
