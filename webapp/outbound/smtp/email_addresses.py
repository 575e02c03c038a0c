"""Email addresses: which ones are plain, and how a typed one becomes plain."""

import re

from webapp.outbound.policy.counted_targets import unify_recipient
from webapp.outbound.policy.hostnames import NotAHost, canonical_host

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL_ADDRESS = re.compile(
    r"(?=.{1,64}@)(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+(?!\d+$){_LABEL}",
    re.ASCII,
)
MAX_MAIL_ADDRESS_LENGTH = 254


def is_mail_address(text: str) -> bool:
    """Check for a plain address: dot-atom, ASCII, a domain of at least two labels (RFC 5321, section 4.1.2).

    Stricter than the RFC on purpose: no quotes, comments or address literals, and nothing that smtplib would cut or
    fold or that a mail program would decode (`=?`, RFC 2047).
    """
    return len(text) <= MAX_MAIL_ADDRESS_LENGTH and _MAIL_ADDRESS.fullmatch(text) is not None


def canonical_address(text: str) -> str:
    """Return a plain address with its domain in lower case and as A-labels, or the text as it is if there is none.

    The part before the @ stays as it is: its case is the receiver's matter (RFC 5321, section 2.4).
    """
    local_part, _, domain = text.rpartition("@")
    try:
        address = f"{local_part}@{canonical_host(domain)}"
    except NotAHost:
        return text
    return address if is_mail_address(address) else text


def remove_repetitions(addresses: list[str]) -> list[str]:
    """Return the addresses in their order, each mailbox once, as it was written first.

    Two addresses that differ only in case are taken for one mailbox: RFC 5321 (section 2.4) allows a receiver to tell
    them apart and advises against it, and no large one does. A second mail would be certain, a lost one is not known.
    """
    first: dict[str, str] = {}
    for address in addresses:
        first.setdefault(unify_recipient(address), address)
    return list(first.values())
