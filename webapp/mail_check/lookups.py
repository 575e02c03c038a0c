"""Asks the machine's name servers, within a limited time and a limited number of queries. Connects to nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address
from time import monotonic
from typing import Any, TypeVar

from webapp.mail_check.answers import Address, Answer, Exchanger, LookupStatus

Value = TypeVar("Value")

# Imported when the DNS is first asked: its library costs every start of a web process, and few ever ask.
RESOLVER = "webapp.mail_check.resolver"

# Seconds: of one attempt at one name server, of one query, and of all queries of a check.
ATTEMPT_SECONDS, QUERY_SECONDS, CHECK_SECONDS = 1.0, 2.0, 10.0

# Queries of one check. SPF alone may need 10 names and, for each `mx` among them, 10 more.
MAX_QUERIES = 150


@dataclass(frozen=True)
class NameServer:
    """Where a name server listens."""

    address: str
    port: int = 53


def find_name_servers() -> list[NameServer]:
    """Return the name servers of this machine. Without a configuration, there are none."""
    return [NameServer(address) for address in import_module(RESOLVER).list_name_servers()]


class Lookups:
    """The queries of one check. Each one is made once, and its answer is kept.

    All values of an answer are read, since any of them may be the one that counts. 64 KiB is the most that it can have.
    """

    def __init__(
        self,
        servers: Sequence[NameServer],
        check_seconds: float = CHECK_SECONDS,
        query_seconds: float = QUERY_SECONDS,
        max_queries: int = MAX_QUERIES,
    ) -> None:
        addresses = [(server.address, server.port) for server in servers]
        self._resolver = import_module(RESOLVER).make_resolver(addresses, min(ATTEMPT_SECONDS, query_seconds))
        self._query_seconds = query_seconds
        self._ends_at = monotonic() + check_seconds
        self._left = max_queries
        self._answers: dict[tuple[str, str], Answer[Any]] = {}

    def find_texts(self, domain: str) -> Answer[str]:
        """Return the TXT records of a domain. Bytes outside of ASCII become characters that no record may have."""
        return self._ask(domain, "TXT", lambda record: b"".join(record.strings).decode("latin-1"))

    def find_addresses(self, host: str, version: int) -> Answer[Address]:
        """Return the addresses of a host. version: 4 or 6."""
        kind = "A" if version == 4 else "AAAA"
        return self._ask(host, kind, lambda record: ip_address(record.address))

    def find_exchangers(self, domain: str) -> Answer[Exchanger]:
        """Return the MX records of a domain, in the order in which senders try them."""
        answer = self._ask(domain, "MX", _read_exchanger)
        ordered = sorted(answer.values, key=lambda exchanger: (exchanger.preference, exchanger.host))
        return Answer(answer.status, tuple(ordered), answer.is_alias)

    def _ask(self, domain: str, kind: str, read: Callable[[Any], Value]) -> Answer[Value]:
        key = (domain.lower().removesuffix("."), kind)
        if key not in self._answers:
            self._answers[key] = self._query(*key, read)
        return self._answers[key]

    def _query(self, domain: str, kind: str, read: Callable[[Any], Value]) -> Answer[Value]:
        seconds = min(self._query_seconds, self._ends_at - monotonic())
        if seconds <= 0 or self._left <= 0:
            return Answer(LookupStatus.NOT_ASKED)
        self._left -= 1
        found: Answer[Value] = import_module(RESOLVER).ask(self._resolver, domain, kind, seconds, read)
        return found


def _read_exchanger(record: Any) -> Exchanger:
    return Exchanger(record.preference, record.exchange.to_text(omit_final_dot=True).lower().removesuffix("."))
