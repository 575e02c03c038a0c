"""What a destination can be found by although its settings are encrypted: hosts, recipients and their domains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.counted_targets import unify_recipient
from webapp.outbound.policy.urls import read_url
from webapp.outbound.smtp.recipients import read_recipients


class TermKind(StrEnum):
    """What a term is."""

    HOST = "host"
    RECIPIENT = "recipient"
    DOMAIN = "domain"


@dataclass(frozen=True)
class SearchTerm:
    """A value in its one spelling: `canonical_host` of a host or domain, `unify_recipient` of a recipient."""

    kind: TermKind
    value: str = field(repr=False)


def list_terms(channel_name: str, settings: Mapping[str, str]) -> frozenset[SearchTerm]:
    """Return the terms of a destination's decrypted settings."""
    channel = CHANNELS.get(channel_name)
    fields = channel.fields if channel else ()
    return frozenset(term for field in fields for term in _read(field.kind, settings.get(field.name, "")))


def _read(kind: FieldKind, value: str) -> Iterator[SearchTerm]:
    match kind:
        case FieldKind.ADDRESS | FieldKind.SERVER:
            yield from _read_address(value)
        case FieldKind.RECIPIENTS:
            for recipient in map(unify_recipient, read_recipients(value)):
                yield SearchTerm(TermKind.RECIPIENT, recipient)
                yield SearchTerm(TermKind.DOMAIN, recipient.rpartition("@")[2])


def _read_address(value: str) -> Iterator[SearchTerm]:
    try:
        yield SearchTerm(TermKind.HOST, read_url(value.strip()).host)
    except DeliveryFailed:  # stored before the current rules for addresses applied: nothing is sent there
        return
