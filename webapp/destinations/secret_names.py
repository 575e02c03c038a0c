"""Finds a secret of a destination in a name or a tag, which everybody in the workspace sees."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.channels.fields import Field, FieldKind, Settings

# Characters of a part of a secret that may be a token. Words that a name and a secret share by chance are shorter.
_LENGTH = 16
_TOKEN = re.compile(rf"[^/?#&=\s]{{{_LENGTH}}}")


@dataclass(frozen=True)
class SecretParts:
    """What no name and no tag may contain, in lower case: addresses without their scheme, and pieces of tokens."""

    addresses: frozenset[str] = frozenset()
    pieces: frozenset[str] = frozenset()

    def are_in(self, text: str) -> bool:
        """Check whether a name or a text of tags contains one of them, in upper or lower case."""
        text = text.casefold()
        windows = (text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1))
        return any(window in self.pieces for window in windows) or any(address in text for address in self.addresses)


def list_secret_parts(settings: Settings, fields: Iterable[Field]) -> SecretParts:
    """Return the parts of the secrets of a destination. Nobody has to have checked its settings."""
    addresses, pieces = set[str](), set[str]()
    for field in fields:
        value = settings.get(field.name, "").strip().casefold() if field.is_secret else ""
        if field.kind is FieldKind.ADDRESS:
            address = value.split("://", 1)[-1]  # a file may leave the scheme out
            value = address.partition("/")[2]  # the host is no secret
            addresses.update([address] if value else ())
        if field.kind is FieldKind.HEADERS:
            value = "\n".join(line.partition(":")[2] for line in value.splitlines())
        pieces.update(_TOKEN.findall(value))
    return SecretParts(frozenset(addresses), frozenset(pieces))
