"""Masks a destination's settings for display."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from webapp.channels import CHANNELS
from webapp.channels.fields import Field, FieldKind, Settings
from webapp.channels.webhook_headers import list_names
from webapp.destinations.editing import read_settings
from webapp.destinations.recipient_masking import list_domains, mask_recipients
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.failures import DeliveryFailed
from webapp.models import AlertDestination, Role
from webapp.outbound.policy.urls import read_url

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
    """Return where a destination's messages go, masked."""
    channel, masked = CHANNELS.get(destination.type), mask_settings(destination, role, cipher)
    labels = [channel.target_field.label] if channel else []
    return next((setting for setting in masked if setting.label in labels), MaskedSetting("Settings", UNREADABLE))


def mask_new_target(channel_name: str, settings: Settings, cipher: SettingsCipher) -> MaskedSetting | None:
    """Return where messages of these settings would go, as admins see it; None if they do not say where."""
    field = CHANNELS[channel_name].target_field
    return _mask(field, settings, Role.ADMIN, cipher) if settings.get(field.name) else None


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
    return tuple(_mask(field, settings, role, cipher) for field in fields if _is_shown(field, settings))


def _is_shown(field: Field, settings: Mapping[str, str]) -> bool:
    # Whether the receiver can check who sends is worth knowing; every other optional secret may simply be absent.
    return bool(settings.get(field.name)) or field.generate is not None


def _mask(field: Field, settings: Settings, role: Role, cipher: SettingsCipher) -> MaskedSetting:
    value = settings.get(field.name, "")
    match field.kind:
        case FieldKind.SERVER:  # the same for many destinations, which the other settings distinguish
            whole = "\n".join(f"{name}={settings[name]}" for name in sorted(settings))
            return MaskedSetting(field.label, _read_host(value), fingerprint=cipher.fingerprint(whole))
        case FieldKind.ADDRESS:
            return MaskedSetting(field.label, _read_host(value), fingerprint=cipher.fingerprint(value))
        case FieldKind.SECRET:
            fingerprint = cipher.fingerprint(value) if value else None
            return MaskedSetting(field.label, "set" if value else "none", fingerprint=fingerprint)
        case FieldKind.HEADERS:
            return MaskedSetting(field.label, ", ".join(list_names(value)), fingerprint=cipher.fingerprint(value))
        case FieldKind.RECIPIENTS:
            text, short = mask_recipients(value, role)
            return MaskedSetting(field.label, text, short)
        case FieldKind.CHOICE:
            return MaskedSetting(field.label, field.choices.get(value, value))
        case FieldKind.FLAG | FieldKind.TEXT:
            return MaskedSetting(field.label, value)


def find_host(destination: AlertDestination, cipher: SettingsCipher) -> str | None:
    """Return where a destination's messages go, for people without an account: the host of its address.

    For email, the domain of the recipients, but not who or how many they are. None if there are several domains, or
    if the settings cannot be read.
    """
    channel, settings = CHANNELS.get(destination.type), read_settings(destination, cipher)
    if channel is None or not settings.get(channel.target_field.name):
        return None
    value = settings[channel.target_field.name]
    if channel.target_field.kind is FieldKind.RECIPIENTS:
        domains = list_domains(value)
        return domains[0] if len(domains) == 1 else None
    host = _read_host(value)
    return None if host == UNREADABLE else host


def _read_host(address: str) -> str:
    try:
        return read_url(address).authority
    except DeliveryFailed:  # stored before the current rules for addresses applied
        return UNREADABLE
