"""Asks name servers with dnspython, and says in values of our own what came of it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dns.exception import DNSException, Timeout
from dns.flags import Flag
from dns.name import from_text
from dns.nameserver import Do53Nameserver
from dns.resolver import NXDOMAIN, NoNameservers, NoResolverConfiguration, Resolver

from webapp.mail_check.answers import Answer, LookupStatus

Value = TypeVar("Value")


def list_name_servers() -> list[str]:
    """Return the addresses of this machine's name servers. Without a configuration, there are none."""
    try:
        return [str(address) for address in Resolver().nameservers]
    except NoResolverConfiguration:
        return []


def make_resolver(servers: Iterable[tuple[str, int]], attempt_seconds: float) -> Resolver:
    """Return a resolver that asks these servers, by address and port, and knows nothing of this machine's."""
    resolver = Resolver(configure=False)
    resolver.nameservers = [Do53Nameserver(address, port) for address, port in servers]
    resolver.timeout = attempt_seconds
    return resolver


def ask(resolver: Resolver, domain: str, kind: str, seconds: float, read: Callable[[Any], Value]) -> Answer[Value]:
    """Ask for the records of a domain. kind: such as MX. seconds: for all attempts. read: makes a value of a record."""
    try:
        name = from_text(f"{domain}.")
        found = resolver.resolve(name, kind, lifetime=seconds, search=False, raise_on_no_answer=False)
        if found.response.flags & Flag.TC:  # over TCP too, so nobody knows what is missing
            return Answer(LookupStatus.UNUSABLE)
        if found.rrset is None:
            return Answer(LookupStatus.EMPTY)
        return Answer(LookupStatus.FOUND, tuple(map(read, found.rrset)), found.canonical_name != name)
    except (DNSException, OSError, ValueError) as error:
        return Answer(_classify(error))


def _classify(error: Exception) -> LookupStatus:
    match error:
        case NXDOMAIN():
            return LookupStatus.NO_DOMAIN
        case Timeout():
            return LookupStatus.TIMEOUT
        case NoNameservers():
            return _classify_responses(error)
    return LookupStatus.UNUSABLE


def _classify_responses(error: NoNameservers) -> LookupStatus:
    """Return what the last name server did, after the others were of no use either."""
    causes = [cause for _, _, _, cause, _ in error.kwargs.get("errors") or ()]
    match causes[-1] if causes else None:
        case "SERVFAIL":
            return LookupStatus.SERVER_FAILURE
        case "REFUSED":
            return LookupStatus.REFUSED
        case None:  # there is none
            return LookupStatus.TIMEOUT
    return LookupStatus.UNUSABLE
