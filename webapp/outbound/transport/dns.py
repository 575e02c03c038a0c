"""Looks up the addresses of a host name, within a time limit."""

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from webapp.failures import Code, DeliveryFailed, Facts

# Takes a host name and returns its IP addresses as text, best first. Raises `socket.gaierror` if there are none.
Resolver = Callable[[str], Sequence[str]]

_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def system_resolver(host: str) -> list[str]:
    """Look up a host name with the machine's own resolver, which has no time limit."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


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
