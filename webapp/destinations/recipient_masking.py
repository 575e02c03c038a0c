"""Shortens email addresses so that support recognizes a recipient whom a customer names, without the whole address."""

import re
from collections.abc import Sequence

from webapp.models import Role
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.smtp.recipients import read_recipients

HIDDEN = "***"

# Recipients, or their domains, that the text for a list names. It counts the others.
PARTS_LISTED = 2

# Characters of the part before the @ from which its first one is shown, and its last one too. What remains hidden is
# at least as long as what is shown.
SHOWS_FIRST, SHOWS_BOTH = 3, 4

# Any other character could be half of a letter, change the direction of the text, or belong to a quoted part.
_PLAIN = re.compile(r"[A-Za-z0-9]")


def mask_recipients(value: str, role: Role) -> tuple[str, str | None]:
    """Return stored recipients as a role may see them: in full, masked one by one, or only their number and domains.

    The second text is for a list, if there are many; otherwise None.
    """
    recipients = read_recipients(value)
    if role.may_edit:
        return _join(recipients)
    if role.may_test:
        return _join([mask_recipient(recipient) for recipient in recipients])
    return _join(list_domains(value), f"{len(recipients)} recipient{'s' * (len(recipients) != 1)} at ")


def list_domains(value: str) -> list[str]:
    """Return the domains of stored recipients, each once, in alphabetical order."""
    return sorted({_canonical_domain(recipient.rpartition("@")[2]) for recipient in read_recipients(value)})


def mask_recipient(address: str) -> str:
    """Return an address with most of the part before the @ hidden: `u***n@example.com`."""
    local_part, at, domain = address.rpartition("@")
    if not at:
        return HIDDEN
    first = local_part[:1] if len(local_part) >= SHOWS_FIRST and _PLAIN.match(local_part) else ""
    last = local_part[-1:] if first and len(local_part) >= SHOWS_BOTH and _PLAIN.match(local_part[-1]) else ""
    return f"{first}{HIDDEN}{last}@{_canonical_domain(domain)}"


def _canonical_domain(domain: str) -> str:
    try:
        return canonical_host(domain)
    except NotAHost:  # stored before the current rules for addresses applied
        return HIDDEN


def _join(parts: Sequence[str], before: str = "") -> tuple[str, str | None]:
    others = len(parts) - PARTS_LISTED
    short = f"{before}{', '.join(parts[:PARTS_LISTED])} and {others} more" if others > 0 else None
    return before + ", ".join(parts), short
