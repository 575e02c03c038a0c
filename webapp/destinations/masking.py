"""Masks a destination's settings for display."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from webapp.channels import CHANNELS
from webapp.channels.contract import Field, FieldKind
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.failures import DeliveryFailed
from webapp.models import AlertDestination, Role
from webapp.outbound.policy.urls import read_url
from webapp.outbound.smtp.recipients import read_recipients

# Recipients, or their domains, that a short text names. It counts the others.
PARTS_LISTED = 2

UNREADABLE = "settings cannot be read"


@dataclass(frozen=True)
class MaskedSetting:
    """A setting as a page shows it.

    short: the text for a list, if the whole one is too long. fingerprint: distinguishes secrets without revealing them.
    """

    label: str
    text: str
    short: str | None = None
    fingerprint: str | None = None


def mask_settings(destination: AlertDestination, role: Role, cipher: SettingsCipher) -> list[MaskedSetting]:
    """Return a destination's settings without secrets; empty if they cannot be decrypted."""
    return list(_decrypt_and_mask(destination.type, destination.config, destination.encryption_context, role, cipher))


def mask_target(destination: AlertDestination, role: Role, cipher: SettingsCipher) -> MaskedSetting:
    """Return where a destination's messages go, masked: its first setting."""
    masked = mask_settings(destination, role, cipher)
    return masked[0] if masked else MaskedSetting("Settings", UNREADABLE)


# Safe to cache: a token's plaintext never changes, and results contain no secret. Saves a list page 1 to 2 ms.
@lru_cache(maxsize=4096)
def _decrypt_and_mask(
    channel_name: str, token: str, context: str, role: Role, cipher: SettingsCipher
) -> Sequence[MaskedSetting]:
    channel = CHANNELS.get(channel_name)
    try:
        settings = cipher.decrypt(token, context=context)
    except SettingsUnreadable:
        return ()
    fields = channel.fields if channel else ()
    return tuple(
        _mask(field, settings.get(field.name, ""), role, cipher) for field in fields if _is_shown(field, settings)
    )


def _is_shown(field: Field, settings: Mapping[str, str]) -> bool:
    return bool(settings.get(field.name)) or (field.kind is FieldKind.SECRET and not field.required)


def _mask(field: Field, value: str, role: Role, cipher: SettingsCipher) -> MaskedSetting:
    match field.kind:
        case FieldKind.ADDRESS:
            return MaskedSetting(field.label, _read_host(value), fingerprint=cipher.fingerprint(value))
        case FieldKind.SECRET:
            fingerprint = cipher.fingerprint(value) if value else None
            return MaskedSetting(field.label, "set" if value else "none", fingerprint=fingerprint)
        case FieldKind.RECIPIENTS:
            return _mask_recipients(field.label, value, role)
        case FieldKind.FLAG:
            return MaskedSetting(field.label, value)


def _read_host(address: str) -> str:
    try:
        return read_url(address).authority
    except DeliveryFailed:  # stored before the current rules for addresses applied
        return UNREADABLE


def _mask_recipients(label: str, value: str, role: Role) -> MaskedSetting:
    recipients = read_recipients(value)
    if role.may_edit:
        return MaskedSetting(label, *_join(recipients))
    domains = sorted({recipient.rpartition("@")[2] for recipient in recipients})
    count = f"{len(recipients)} recipient{'s' * (len(recipients) != 1)} at "
    text, short = _join(domains)
    return MaskedSetting(label, f"{count}{text}", short and f"{count}{short}")


def _join(parts: Sequence[str]) -> tuple[str, str | None]:
    """Return all parts as a text, and a short text if there are many."""
    others = len(parts) - PARTS_LISTED
    short = f"{', '.join(parts[:PARTS_LISTED])} and {others} more" if others > 0 else None
    return ", ".join(parts), short
