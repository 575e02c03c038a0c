"""Looks up the addresses of a host name, within a time limit."""

import socket
from collections.abc import Callable, Sequence

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.transport.lookup_threads import LookupTimedOut, lookup_threads

# Takes a host name and returns its IP addresses as text, best first. Raises `socket.gaierror` if there are none.
Resolver = Callable[[str], Sequence[str]]

_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def system_resolver(host: str) -> list[str]:
    """Look up a host name with the machine's own resolver, which has no time limit."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def resolve(host: str, resolver: Resolver, seconds: float) -> Sequence[str]:
    """Look up a host name, for at most `seconds`. Raises `DeliveryFailed` with one of the dns codes."""
    try:
        found = lookup_threads.look_up(resolver, host, seconds)
    except LookupTimedOut:
        raise DeliveryFailed(Code.DNS_TIMEOUT, Facts(host=host, seconds=seconds)) from None
    except OSError as error:
        raise DeliveryFailed(_classify_error(error), Facts(host=host)) from error
    if not found:
        raise DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host))
    return found


def _classify_error(error: OSError) -> Code:
    return Code.DNS_NOT_FOUND if error.errno in _NO_SUCH_NAME else Code.DNS_TEMPORARY
