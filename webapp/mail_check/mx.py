"""Finds out where the mail of a domain goes: its MX records, and the addresses of the hosts that they name."""

from dataclasses import dataclass
from ipaddress import ip_address

from webapp.mail_check.answers import Address, Answer, LookupStatus
from webapp.mail_check.lookups import Lookups

# Hosts of a domain whose addresses are looked up, the preferred ones first.
MAX_HOSTS = 8


@dataclass(frozen=True)
class HostFacts:
    """A host that takes mail. literal: its name is this IP address, which an MX record may not name.

    addresses: of both versions. status: FOUND if there is one, or else of the query that says most.
    """

    host: str
    addresses: tuple[Address, ...] = ()
    status: LookupStatus = LookupStatus.FOUND
    is_alias: bool = False
    literal: Address | None = None


@dataclass(frozen=True)
class MxFacts:
    """status: of the MX query. hosts: those that were looked up. is_null: whether there is a null MX (RFC 7505).

    left_out: how many hosts were not looked up. itself: the domain as a host, if it has no MX records.
    """

    domain: str
    status: LookupStatus
    hosts: tuple[HostFacts, ...] = ()
    is_null: bool = False
    left_out: int = 0
    itself: HostFacts | None = None


def find_mx(lookups: Lookups, domain: str) -> MxFacts:
    """Ask for the MX records of a domain and the addresses of their hosts."""
    answer = lookups.find_exchangers(domain)
    if answer.status is LookupStatus.EMPTY:
        return MxFacts(domain, answer.status, itself=find_host(lookups, domain))
    hosts = list(dict.fromkeys(exchanger.host for exchanger in answer.values if exchanger.host))
    return MxFacts(
        domain,
        answer.status,
        tuple(find_host(lookups, host) for host in hosts[:MAX_HOSTS]),
        is_null=any(not exchanger.host for exchanger in answer.values),
        left_out=len(hosts[MAX_HOSTS:]),
    )


def find_host(lookups: Lookups, host: str) -> HostFacts:
    """Look up the addresses of a host, of both versions."""
    literal = read_literal(host)
    if literal is not None:
        return HostFacts(host, (literal,), literal=literal)
    answers = [lookups.find_addresses(host, version) for version in (4, 6)]
    addresses = tuple(address for answer in answers for address in answer.values)
    is_alias = any(answer.is_alias for answer in answers)
    return HostFacts(host, addresses, LookupStatus.FOUND if addresses else _choose_status(answers), is_alias)


def read_literal(host: str) -> Address | None:
    """Return the IP address that a name is, or None for a proper name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _choose_status(answers: list[Answer[Address]]) -> LookupStatus:
    """Return a failure if there is one: with it, nobody knows that there is nothing."""
    statuses = [answer.status for answer in answers]
    return next((status for status in statuses if status.is_failure), statuses[0])
