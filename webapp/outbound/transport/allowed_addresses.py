"""Finds the addresses of a target, by one look-up, and refuses all of them if one is not allowed."""

from collections.abc import Sequence
from ipaddress import ip_address

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.policy.allowed_targets import Policy, is_for_public
from webapp.outbound.policy.hostnames import parse_ip_address
from webapp.outbound.policy.public_networks import Address, is_allowed, is_allowed_answer, is_this_machine
from webapp.outbound.policy.urls import Target
from webapp.outbound.transport.dns import Resolver, resolve
from webapp.outbound.transport.own_servers import find_own_addresses


def find_addresses(
    target: Target, policy: Policy, resolver: Resolver, seconds: float, recorder: ExchangeRecorder
) -> Sequence[str]:
    """Return the addresses of this target, all of which are allowed.

    Raises `DeliveryFailed` with dns_not_found, dns_temporary, dns_timeout, target_not_allowed, scheme_not_allowed,
    port_not_allowed or, if it is not known whether one of them is a server of the installation, network_unreachable.
    """
    is_typed = parse_ip_address(target.host) is not None
    if not is_typed:
        recorder.start(ExchangeStep.LOOKUP)
    found = [target.host] if is_typed else resolve(target.host, resolver, seconds)
    if policy.trusts(target):
        return found
    try:
        opened = _require_allowed(found, target, policy, is_typed=is_typed)
        if opened and not opened.isdisjoint(find_own_addresses(policy.own_servers, target.host, resolver, seconds)):
            raise DeliveryFailed(Code.TARGET_NOT_ALLOWED, Facts(host=target.host))
    except DeliveryFailed:
        recorder.end(is_complete=True)  # the lookup did not fail, its answer is refused
        raise
    return found


def choose_direct(addresses: Sequence[str], policy: Policy) -> Sequence[str]:
    """Return the allowed addresses in an opened network, which are never reached through the proxy."""
    return [address for address in addresses if policy.opens(ip_address(address))]


def _require_allowed(found: Sequence[str], target: Target, policy: Policy, *, is_typed: bool) -> frozenset[Address]:
    """Return the addresses that are in an opened network. Raises `DeliveryFailed` if one of all is not allowed.

    A public address has to be allowed for public ones, and a private one has to be opened: the target's scheme and
    port must be right for each of them.
    """
    judge = is_allowed if is_typed else is_allowed_answer
    addresses = frozenset(_parse(text, target) for text in found)
    public = {address for address in addresses if judge(address, policy.denied_networks)}
    opened = frozenset(address for address in addresses - public if policy.opens(address))
    if addresses - public - opened or any(is_this_machine(address) for address in addresses):
        raise DeliveryFailed(Code.TARGET_NOT_ALLOWED, Facts(host=target.host))
    if public and not is_for_public(target):
        code = Code.PORT_NOT_ALLOWED if target.scheme == "https" else Code.SCHEME_NOT_ALLOWED
        raise DeliveryFailed(code, Facts(host=target.host))
    if opened and target.port not in policy.opened_ports:
        raise DeliveryFailed(Code.PORT_NOT_ALLOWED, Facts(host=target.host))
    return opened


def _parse(text: str, target: Target) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise DeliveryFailed(Code.TARGET_NOT_ALLOWED, Facts(host=target.host)) from None
