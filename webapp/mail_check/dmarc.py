"""Finds and reads the DMARC policy of a sender's domain, as a receiver does (RFC 9989; RFC 7489 before it)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webapp.mail_check.answers import LookupStatus, quote_record
from webapp.mail_check.lookups import Lookups

VERSION = "v=DMARC1"

# Domains that the walk up the tree asks at most (RFC 9989, section 4.10).
MAX_WALK = 8


class DmarcPolicy(StrEnum):
    """What a receiver is asked to do with mail that fails."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True)
class DmarcRecord:
    """is_strict_dkim, is_strict_spf: whether a subdomain does not count as aligned. percentage: of the mail that the
    policy is for. has_reports: whether reports go to somebody. is_test: whether it asks not to be applied yet.
    """

    policy: DmarcPolicy
    subdomains: DmarcPolicy
    percentage: int = 100
    is_strict_dkim: bool = False
    is_strict_spf: bool = False
    has_reports: bool = False
    is_test: bool = False


class DmarcInvalid(ValueError):
    """A record that receivers ignore. The text is the rest of a sentence about it."""


@dataclass(frozen=True)
class DmarcFacts:
    """What was found. domain: of the sender. found_at: the domain that has the records. texts: all that begin so.

    lookalike: a record at the sender's domain that was meant as one. status: of the query that failed, or FOUND.
    """

    domain: str
    found_at: str = ""
    texts: tuple[str, ...] = ()
    lookalike: str | None = None
    status: LookupStatus = LookupStatus.FOUND
    failed_at: str = ""


_RECORD = re.compile(r"v\s{0,9}=\s{0,9}DMARC1\s{0,9}(;|$)")
_LOOKALIKE = re.compile(r"(?:v\s{0,3}=?\s{0,3})?dmarc", re.IGNORECASE)


def find_dmarc(lookups: Lookups, domain: str) -> DmarcFacts:
    """Ask the domain, and then its parents, until one has a record."""
    lookalike: str | None = None
    for candidate in list_walk(domain):
        answer = lookups.find_texts(f"_dmarc.{candidate}")
        if answer.status.is_failure:
            return DmarcFacts(domain, lookalike=lookalike, status=answer.status, failed_at=candidate)
        texts = tuple(text for text in answer.values if _RECORD.match(text))
        if texts:
            return DmarcFacts(domain, candidate, texts, lookalike)
        if candidate == domain:
            lookalike = next((text for text in answer.values if _LOOKALIKE.match(text.strip(" \"'"))), None)
    return DmarcFacts(domain, lookalike=lookalike)


def list_walk(domain: str) -> list[str]:
    """Return the domain and its parents, up to a top-level domain. Of a long one, seven labels come second."""
    labels = domain.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels))]
    return [domain, *parents[-(MAX_WALK - 1) :]]


def parse_dmarc(text: str) -> DmarcRecord:
    """Read a DMARC record. Raises `DmarcInvalid`. Tags that nobody knows are ignored."""
    tags = dict(_read_tags(text.split(";")))
    policy = _read_policy(tags, "p")
    if policy is None:
        raise DmarcInvalid("has no p=, which says what to do with mail that fails")
    return DmarcRecord(
        policy,
        _read_policy(tags, "sp") or policy,
        _read_percentage(tags.get("pct", "100")),
        _is_strict(tags, "adkim"),
        _is_strict(tags, "aspf"),
        has_reports=_has_reports(tags.get("rua", "")),
        is_test=tags.get("t", "").lower() == "y",
    )


def _read_tags(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in parts:
        name, equals, value = part.partition("=")
        if equals and name.strip().isalpha():
            yield name.strip().lower(), value.strip()
        elif part.strip():
            raise DmarcInvalid(f"has a part that is not a tag: {quote_record(part.strip())}")


def _read_policy(tags: dict[str, str], name: str) -> DmarcPolicy | None:
    value = tags.get(name)
    if value is None:
        return None
    if value.lower() not in list(DmarcPolicy):
        raise DmarcInvalid(f"has {name}={quote_record(value)}, which is none of none, quarantine and reject")
    return DmarcPolicy(value.lower())


def _read_percentage(value: str) -> int:
    if not re.fullmatch(r"\d{1,3}", value, re.ASCII) or int(value) > 100:
        raise DmarcInvalid(f"has pct={quote_record(value)}, which is not a number from 0 to 100")
    return int(value)


def _is_strict(tags: dict[str, str], name: str) -> bool:
    value = tags.get(name, "r")
    if value.lower() not in ("r", "s"):
        raise DmarcInvalid(f"has {name}={quote_record(value)}, which is neither r nor s")
    return value.lower() == "s"


def _has_reports(value: str) -> bool:
    if value and not all(part.strip().lower().startswith("mailto:") for part in value.split(",")):
        raise DmarcInvalid(f"has rua={quote_record(value)}, which does not begin with mailto:")
    return bool(value)
