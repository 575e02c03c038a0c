"""Finds stored secrets that another address would get: whoever may enter addresses may not read secrets that way."""

from collections.abc import Collection, Sequence

from webapp.channels.addresses import find_target
from webapp.channels.fields import Field, FieldKind, Settings

MISDIRECTED = (
    "The messages would go to another server than before. Enter this again: the stored value is only for the old one."
)


def find_misdirected(
    typed: Settings, stored: Settings, removed: Collection[str], fields: Sequence[Field]
) -> frozenset[str]:
    """Return the names of the stored secrets that would be kept, and sent to another server than before.

    typed: the validated settings of the form. removed: the settings whose stored values are not kept.
    What a receiver was given to check signatures is never sent.
    """
    servers = [field for field in fields if field.kind in (FieldKind.ADDRESS, FieldKind.SERVER)]
    if not any(_is_elsewhere(typed.get(field.name, ""), stored.get(field.name) or field.default) for field in servers):
        return frozenset()
    secrets = (field.name for field in fields if field.is_secret and not field.generate)
    return frozenset(name for name in secrets if stored.get(name) and not typed.get(name) and name not in removed)


def _is_elsewhere(address: str, earlier: str) -> bool:
    """Check whether an address leads to another server. A blank one keeps the earlier one."""
    if not address or not earlier or address == earlier:
        return False
    new, old = find_target(address), find_target(earlier)
    return (new and new.origin) != (old and old.origin)
