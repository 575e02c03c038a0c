"""Looks up the addresses of a host name once, within a time limit, and refuses it if one of them is not allowed."""

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.policy.hostnames import parse_ip_address
from webapp.outbound.policy.networks import Address, Network, is_allowed, is_allowed_answer, is_this_machine
from webapp.outbound.policy.urls import Policy, Target

# Takes a host name and returns its IP addresses as text, best first. Raises `socket.gaierror` if there are none.
Resolver = Callable[[str], Sequence[str]]

_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def system_resolver(host: str) -> list[str]:
    """Look up a host name with the machine's own resolver, which has no time limit."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def find_addresses(
    target: Target, policy: Policy, resolver: Resolver, seconds: float, recorder: ExchangeRecorder
) -> Sequence[str]:
    """Return the addresses of this target, all of which are allowed.

    Raises `DeliveryFailed` with dns_not_found, dns_temporary, dns_timeout or target_not_allowed.
    """
    is_typed = parse_ip_address(target.host) is not None
    if not is_typed:
        recorder.start(ExchangeStep.LOOKUP)
    addresses = [target.host] if is_typed else resolve(target.host, resolver, seconds)
    judge = is_allowed if is_typed else is_allowed_answer
    if not policy.trusts(target) and not all(_is_public(address, judge, policy) for address in addresses):
        recorder.end(is_complete=True)  # the lookup did not fail, its answer is refused
        raise DeliveryFailed(Code.TARGET_NOT_ALLOWED, Facts(host=target.host))
    return addresses


def resolve(host: str, resolver: Resolver, seconds: float) -> Sequence[str]:
    """Look up a host name, for at most `seconds`. Raises `DeliveryFailed` with one of the dns codes."""
    results: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()
    # The system call cannot be interrupted, so it is left running, in a daemon thread that lets the process exit.
    Thread(target=_run_resolver, args=(resolver, host, results), daemon=True).start()
    try:
        found = results.get(timeout=seconds)
    except Empty:
        raise DeliveryFailed(Code.DNS_TIMEOUT, Facts(host=host, seconds=seconds)) from None
    if isinstance(found, OSError):
        raise DeliveryFailed(_classify_error(found), Facts(host=host))
    if isinstance(found, Exception):
        raise found
    if not found:
        raise DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host))
    return found


def _run_resolver(resolver: Resolver, host: str, results: SimpleQueue[Sequence[str] | Exception]) -> None:
    try:
        results.put(resolver(host))
    except Exception as error:  # if it ended the thread, it would be printed, and the caller would wait in vain
        results.put(error)


def _classify_error(error: OSError) -> Code:
    return Code.DNS_NOT_FOUND if error.errno in _NO_SUCH_NAME else Code.DNS_TEMPORARY


def _is_public(text: str, judge: Callable[[Address, Collection[Network]], bool], policy: Policy) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return judge(address, policy.denied_networks) and not is_this_machine(address)
