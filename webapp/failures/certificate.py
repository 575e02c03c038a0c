"""What a failure shows of a receiver's certificate. A stranger wrote it, so only checked values may get here."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class CertificateFacts:
    """The certificate that a receiver sent for itself.

    issuer: the authority's name, reduced to safe text, or None if nothing safe remained.
    names: a few of its host names and IP addresses in canonical form. more_names: the number of the others.
    is_for_host: whether one of its names is the receiver's host.
    checked_at: when the dates were compared.
    """

    issuer: str | None
    names: tuple[str, ...]
    more_names: int
    is_for_host: bool
    not_before: datetime
    not_after: datetime
    checked_at: datetime


def describe_certificate(facts: CertificateFacts, *, mark_other_host: bool = True) -> str:
    """Return a sentence with the issuer, the names and the date that matters.

    mark_other_host: add that none of the names is the receiver's host, if that is so.
    """
    issuer = "" if facts.issuer is None else f" by {quote(facts.issuer)}"
    other_host = ", not for this host" if mark_other_host and not facts.is_for_host else ""
    names, validity = _describe_names(facts), _describe_validity(facts)
    return f"The certificate was issued{issuer} for {names}{other_host}, and {validity}."


def quote(name: str) -> str:
    """Put the name of an authority in quotation marks, to set it apart from our own words."""
    return f"“{name}”"


def format_date(moment: datetime) -> str:
    """Return the day in UTC as it is read aloud: "3 March 2026"."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y}"


def _describe_names(facts: CertificateFacts) -> str:
    rest = f"{facts.more_names} {'more ' if facts.names else ''}name{'' if facts.more_names == 1 else 's'}"
    if not facts.more_names:
        return " and ".join(facts.names) or "no host name (a common name does not count)"
    return f"{', '.join(facts.names)} and {rest}" if facts.names else rest


def _describe_validity(facts: CertificateFacts) -> str:
    if facts.checked_at < facts.not_before:
        starts = facts.not_before.astimezone(UTC)
        return f"is not valid before {format_date(starts)}, {starts:%H:%M} UTC"  # the hour may point to a wrong clock
    verb = "expired on" if facts.checked_at > facts.not_after else "expires on"
    return f"{verb} {format_date(facts.not_after)}"
