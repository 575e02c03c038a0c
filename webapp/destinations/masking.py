"""How a destination's settings are shown: never the settings themselves."""

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
class ShownSetting:
    """A setting as a page shows it. fingerprint: tells two secrets apart and says nothing of either, or None."""

    label: str
    text: str
    fingerprint: str | None = None


def show_settings(destination: AlertDestination, role: Role, cipher: SettingsCipher) -> list[ShownSetting]:
    """List a destination's settings without their secrets. Empty: they cannot be read."""
    return list(_open_and_show(destination.type, destination.config, destination.encryption_context, role, cipher))


def show_where(destination: AlertDestination, role: Role, cipher: SettingsCipher) -> ShownSetting:
    """Say where a destination's messages go: its first setting."""
    shown = show_settings(destination, role, cipher)
    return shown[0] if shown else ShownSetting("Settings", UNREADABLE)


# What a sealed text shows never changes, and what pages may show is all that is kept. It saves a list 1 to 2 ms.
@lru_cache(maxsize=4096)
def _open_and_show(
    channel_name: str, app_settings: str, seal: str, role: Role, cipher: SettingsCipher
) -> Sequence[ShownSetting]:
    channel = CHANNELS.get(channel_name)
    try:
        settings = cipher.decrypt(app_settings, context=seal)
    except SettingsUnreadable:
        return ()
    fields = channel.fields if channel else ()
    return tuple(_show(field, settings[field.name], role, cipher) for field in fields if settings.get(field.name))


def _show(field: Field, value: str, role: Role, cipher: SettingsCipher) -> ShownSetting:
    match field.kind:
        case FieldKind.ADDRESS:
            return ShownSetting(field.label, _show_host(value), cipher.fingerprint(value))
        case FieldKind.SECRET:
            return ShownSetting(field.label, "set", cipher.fingerprint(value))
        case FieldKind.RECIPIENTS:
            return ShownSetting(field.label, value if role.may_edit else _count_recipients(value))


def _show_host(address: str) -> str:
    try:
        return read_url(address).authority
    except DeliveryFailed:  # saved before it would have been refused
        return UNREADABLE


def _count_recipients(value: str) -> str:
    recipients = [part for part in value.replace("\n", ",").split(",") if part.strip()]
    hosts = sorted({recipient.rpartition("@")[2].strip() for recipient in recipients})
    return f"{len(recipients)} recipient{'s' * (len(recipients) != 1)} at {', '.join(hosts)}"
