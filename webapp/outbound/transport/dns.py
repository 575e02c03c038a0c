"""Looks up the addresses of a host name, within a time limit."""

import socket
from collections.abc import Callable, Sequence

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.transport.lookup_threads import LookupTimedOut, lookup_threads

# Takes a host name and returns its IP addresses as text, best first. Raises `socket.gaierror` if there are none.
Resolver = Callable[[str], Sequence[str]]

# Of a name that exists, with a mail server for example. Not every system tells it from one that does not.
_NO_ADDRESS = getattr(socket, "EAI_NODATA", None)


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
        raise _classify_error(error, host) from error
    if not found:
        raise DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host, cause=Cause.NO_ADDRESS))
    return found


def _classify_error(error: OSError, host: str) -> DeliveryFailed:
    if error.errno == socket.EAI_NONAME:
        return DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host))
    if error.errno == _NO_ADDRESS:
        return DeliveryFailed(Code.DNS_NOT_FOUND, Facts(host=host, cause=Cause.NO_ADDRESS))
    return DeliveryFailed(Code.DNS_TEMPORARY, Facts(host=host))
