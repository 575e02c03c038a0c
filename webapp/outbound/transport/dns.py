"""Finds the network addresses of a name once, within a time limit; refuses the name if one of them is not allowed."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.policy.hostnames import find_literal
from webapp.outbound.policy.networks import is_allowed, is_this_machine
from webapp.outbound.policy.urls import Policy, Target

Resolver = Callable[[str], Sequence[str]]
"""Takes a host name, returns its IP addresses as text, best first. Raises `socket.gaierror` without an answer."""

_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def system_resolver(host: str) -> list[str]:
    """Ask the machine's own resolver. May take as long as it likes."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def find_addresses(target: Target, policy: Policy, resolver: Resolver, seconds: float) -> Sequence[str]:
    """Return the addresses to connect to for this target, all of them allowed.

    Raises `DeliveryFailed` with dns_not_found, dns_temporary, dns_timeout or target_not_allowed.
    """
    addresses = [target.host] if find_literal(target.host) is not None else resolve(target.host, resolver, seconds)
    if not policy.trusts(target) and not all(_is_public(address, policy) for address in addresses):
        raise DeliveryFailed(Code.TARGET_NOT_ALLOWED, Facts(host=target.host))
    return addresses


def resolve(host: str, resolver: Resolver, seconds: float) -> Sequence[str]:
    """Ask `resolver` for at most `seconds`. Raises `DeliveryFailed` with one of the dns codes."""
    answers: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()
    # The system's call cannot be cut short. It is left behind, as a daemon so that the process can still end.
    Thread(target=_ask, args=(resolver, host, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise DeliveryFailed(Code.DNS_TIMEOUT, Facts(host=host, seconds=seconds)) from None
    if isinstance(answer, OSError):
        raise DeliveryFailed(_classify_error(answer), Facts(host=host))
    if isinstance(answer, Exception):
        raise answer
    if not answer:
        raise DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host))
    return answer


def _ask(resolver: Resolver, host: str, answers: SimpleQueue[Sequence[str] | Exception]) -> None:
    try:
        answers.put(resolver(host))
    except Exception as error:  # one that ended the thread would be printed whole, and waited for in vain
        answers.put(error)


def _classify_error(error: OSError) -> Code:
    return Code.DNS_NOT_FOUND if error.errno in _NO_SUCH_NAME else Code.DNS_TEMPORARY


def _is_public(text: str, policy: Policy) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return is_allowed(address, policy.denied_networks) and not is_this_machine(address)
