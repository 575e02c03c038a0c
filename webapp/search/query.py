"""Reads what somebody typed or pasted into the search.

It may be a secret, such as a webhook's address. So it is compared here and by keyed hashes only: it is neither logged
nor shown again, and takes part in no SQL statement, except for a reference or a code.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from webapp.channels.addresses import find_target
from webapp.destinations.search_terms import SearchTerm, TermKind
from webapp.failures import Code
from webapp.outbound.policy.counted_targets import unify_recipient
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.smtp.email_addresses import is_mail_address
from webapp.outbound.smtp.recipients import read_recipients
from webapp.text.references import read_reference

# Characters that are read. Whatever follows in a pasted address is not needed to find its host.
MAX_LENGTH = 2048

# A longer text cannot be part of a name.
MAX_NAME_LENGTH = 200

# Hosts of a longer text, and recipients of a list, that are searched for.
MAX_HOSTS = MAX_RECIPIENTS = 5

# The host of an address anywhere in a text, whatever else is wrong with the address.
_HOST = re.compile(r"[a-z]+://(?:[^/?#\s]*@)?(\[[0-9a-f:.]+\]|[^\s/?#:@\\]+)", re.IGNORECASE)
_SCHEME = re.compile(r"^[a-z]+://", re.IGNORECASE)
_PORT = re.compile(r":[0-9]{1,5}$")


@dataclass(frozen=True)
class SearchQuery:
    """Everything that the text may mean.

    words: in lower case; each has to be a part of a name. references: the spellings of one reference.
    """

    words: tuple[str, ...] = field(default=(), repr=False)
    terms: frozenset[SearchTerm] = frozenset()
    references: tuple[str, ...] = ()
    code: Code | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.terms or self.references or self.code)


def read_query(text: str) -> SearchQuery:
    """Return everything that a text may mean."""
    visible = "".join(character for character in text[:MAX_LENGTH] if unicodedata.category(character) != "Cf").strip()
    if not visible:
        return SearchQuery()
    return SearchQuery(
        words=tuple(visible.casefold().split()) if len(visible) <= MAX_NAME_LENGTH else (),
        terms=frozenset(_read_terms(visible)),
        references=read_reference(visible),
        code=_read_code(visible),
    )


def _read_code(text: str) -> Code | None:
    name = re.sub(r"[\s_-]+", "_", text.casefold())
    return next((code for code in Code if code == name), None)


def _read_terms(text: str) -> Iterator[SearchTerm]:
    for host in _read_hosts(text):
        yield SearchTerm(TermKind.HOST, host)
        yield SearchTerm(TermKind.DOMAIN, host)
    recipients = (address for address in read_recipients(text[:MAX_NAME_LENGTH]) if is_mail_address(address))
    for address in islice(recipients, MAX_RECIPIENTS):
        yield SearchTerm(TermKind.RECIPIENT, unify_recipient(address))


def _read_hosts(text: str) -> Iterator[str]:
    """Return the hosts of pasted addresses, and the text itself if it is one, such as a name inside a network."""
    target = find_target(text)
    if target is not None:
        yield target.host
    bare = _SCHEME.sub("", text).strip("@/ ")
    in_addresses = islice((found[1] for found in _HOST.finditer(text)), MAX_HOSTS)
    for spelling in (*in_addresses, bare, _PORT.sub("", bare), f"[{bare}]"):
        try:
            yield canonical_host(spelling)
        except NotAHost:
            continue
