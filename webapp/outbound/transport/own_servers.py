"""Finds the addresses of the installation's own servers, which no message may reach by whatever name.

They are looked up when a message is about to go to a private network, because a server may move. If a name cannot be
looked up, nobody knows where the server is, so nothing is sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Lock
from time import monotonic

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.policy.hostnames import NotAHost, parse_ip_address
from webapp.outbound.policy.public_networks import Address
from webapp.outbound.transport.dns import Resolver, resolve

# Seconds for which an answer is used again. A server that moves is protected at its new address after this time.
KEPT = 10.0


@dataclass(frozen=True)
class _Answer:
    addresses: frozenset[Address]
    until: float  # seconds of the monotonic clock


_answers: dict[tuple[Resolver, str], _Answer] = {}
_lock = Lock()


def find_own_addresses(hosts: Collection[str], receiver: str, resolver: Resolver, seconds: float) -> frozenset[Address]:
    """Return every address of these hosts, by look-ups of at most `seconds` in total.

    receiver: the host that a message is for, which a failure names.
    Raises `DeliveryFailed` (network_unreachable) if one of the hosts cannot be looked up.
    """
    ends_at = monotonic() + seconds
    try:
        found = [_find(host, resolver, max(0.0, ends_at - monotonic())) for host in hosts]
    except (DeliveryFailed, ValueError):
        facts = Facts(host=receiver, cause=Cause.OWN_SERVER_UNKNOWN)
        raise DeliveryFailed(Code.NETWORK_UNREACHABLE, facts) from None
    return frozenset().union(*found)


def _find(host: str, resolver: Resolver, seconds: float) -> frozenset[Address]:
    known = _answers.get((resolver, host))
    if known is not None and monotonic() < known.until:
        return known.addresses
    is_address = parse_own_address(host) is not None
    texts = [host] if is_address else resolve(host, resolver, seconds)
    addresses = frozenset(_unmap(ip_address(text)) for text in texts)
    _keep((resolver, host), addresses)
    return addresses


def parse_own_address(host: str) -> Address | None:
    """Return the address that a host of the settings is, or None for a name."""
    try:
        return parse_ip_address(host)
    except NotAHost:  # a number: the resolver knows which address its clients connect to
        return None


def _keep(key: tuple[Resolver, str], addresses: frozenset[Address]) -> None:
    now = monotonic()
    with _lock:
        for old in [old for old, answer in _answers.items() if answer.until <= now]:
            del _answers[old]
        _answers[key] = _Answer(addresses, now + KEPT)


def _unmap(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address
