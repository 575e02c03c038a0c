"""What the mail check says: sentences, each with what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webapp.mail_check.answers import LookupStatus


class Level(StrEnum):
    """OK: as it should be. NOTE: worth knowing, mail may arrive all the same. PROBLEM: mail may be refused or lost."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class MailFinding:
    """sentence: what is. next_step: what to do, or None. record: a DNS record to copy, or None."""

    level: Level
    sentence: str
    next_step: str | None = None
    record: str | None = None


_FAILURES = {
    LookupStatus.SERVER_FAILURE: (
        "The name servers could not look up {what}: they reported a server failure.",
        "Try again. If it keeps happening, ask whoever runs the DNS of {domain} to check the zone and its DNSSEC "
        "signatures.",
    ),
    LookupStatus.REFUSED: (
        "The name servers refused to look up {what}.",
        "Check the name servers of this machine or container.",
    ),
    LookupStatus.TIMEOUT: (
        "The name servers did not answer in time when asked for {what}.",
        "Try again. If it keeps happening, check the name servers of this machine or container, and those of {domain}.",
    ),
    LookupStatus.UNUSABLE: (
        "The name servers sent no usable answer about {what}.",
        "Try again. If it keeps happening, ask whoever runs the DNS of {domain} to check the zone.",
    ),
    LookupStatus.NOT_ASKED: (
        "The time for this check was used up before {what} could be looked up.",
        "Try again: what was looked up now is often answered faster the next time.",
    ),
}


def describe_failed_lookup(status: LookupStatus, what: str, domain: str) -> MailFinding:
    """Say that something could not be looked up, and so nothing is known. what: "the MX records of example.com"."""
    sentence, next_step = _FAILURES[status]
    return MailFinding(Level.NOTE, sentence.format(what=what), next_step.format(domain=domain))


def find_worst(findings: Iterable[MailFinding]) -> Level:
    """Return the level of the worst finding."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.OK)
