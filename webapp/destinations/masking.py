"""Masks a destination's settings for display."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from webapp.channels import CHANNELS
from webapp.channels.contract import Field, FieldKind
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.failures import DeliveryFailed
from webapp.models import AlertDestination, Role
from webapp.outbound.policy.urls import read_url

UNREADABLE = "settings cannot be read"


@dataclass(frozen=True)
class MaskedSetting:
    """A setting as a page shows it. fingerprint: distinguishes secrets without revealing them, or None."""

    label: str
    text: str
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
    return tuple(_mask(field, settings[field.name], role, cipher) for field in fields if settings.get(field.name))


def _mask(field: Field, value: str, role: Role, cipher: SettingsCipher) -> MaskedSetting:
    match field.kind:
        case FieldKind.ADDRESS:
            return MaskedSetting(field.label, _read_host(value), cipher.fingerprint(value))
        case FieldKind.SECRET:
            return MaskedSetting(field.label, "set", cipher.fingerprint(value))
        case FieldKind.RECIPIENTS:
            return MaskedSetting(field.label, value if role.may_edit else _count_recipients(value))
        case FieldKind.FLAG:
            return MaskedSetting(field.label, value)


def find_host(destination: AlertDestination, cipher: SettingsCipher) -> str | None:
    """Return where a destination's messages go, for people without an account: the host of its address.

    For email, the domain of the recipients, but not who or how many they are. None if there are several domains, or
    if the settings cannot be read.
    """
    channel = CHANNELS.get(destination.type)
    try:
        settings = cipher.decrypt(destination.config, context=destination.encryption_context)
    except SettingsUnreadable:
        return None
    if channel is None or not settings.get(channel.fields[0].name):
        return None
    value = settings[channel.fields[0].name]
    if channel.fields[0].kind is FieldKind.RECIPIENTS:
        domains = _list_domains(value)
        return domains[0] if len(domains) == 1 else None
    host = _read_host(value)
    return None if host == UNREADABLE else host


def _read_host(address: str) -> str:
    try:
        return read_url(address).authority
    except DeliveryFailed:  # stored before the current rules for addresses applied
        return UNREADABLE


def _count_recipients(value: str) -> str:
    count = len(_split_recipients(value))
    return f"{count} recipient{'s' * (count != 1)} at {', '.join(_list_domains(value))}"


def _list_domains(value: str) -> list[str]:
    return sorted({recipient.rpartition("@")[2].strip() for recipient in _split_recipients(value)})


def _split_recipients(value: str) -> list[str]:
    return [part for part in value.replace("\n", ",").split(",") if part.strip()]
