"""What the DNS answered, as values of our own: nothing in here depends on how it was asked."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Generic, TypeVar

Address = IPv4Address | IPv6Address
Value = TypeVar("Value")

# Characters of a stranger's record that a sentence quotes.
MAX_QUOTED = 200


class LookupStatus(StrEnum):
    """What came of a query.

    EMPTY: the domain exists, but has no such record. UNUSABLE: the response cannot be used. NOT_ASKED: the time or the
    number of queries of this check was used up.
    """

    FOUND = "found"
    EMPTY = "empty"
    NO_DOMAIN = "no_domain"
    SERVER_FAILURE = "server_failure"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNUSABLE = "unusable"
    NOT_ASKED = "not_asked"

    @property
    def is_void(self) -> bool:
        """Whether the DNS said that there is nothing (RFC 7208, section 4.6.4)."""
        return self in (LookupStatus.EMPTY, LookupStatus.NO_DOMAIN)

    @property
    def is_failure(self) -> bool:
        """Whether nothing is known, and another attempt may find out."""
        return self is not LookupStatus.FOUND and not self.is_void


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What one query found. is_alias: whether the name that was asked for is a CNAME."""

    status: LookupStatus
    values: tuple[Value, ...] = ()
    is_alias: bool = False


@dataclass(frozen=True)
class Exchanger:
    """A mail server that an MX record names. host: in lower case, without the final dot; empty in a null MX."""

    preference: int
    host: str


def quote_record(text: str) -> str:
    """Return a record as a sentence quotes it: printable ASCII, and not too much of it."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text[: MAX_QUOTED + 1])
    return plain if len(plain) <= MAX_QUOTED else f"{plain[:MAX_QUOTED]}..."
