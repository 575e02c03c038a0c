"""Writes the destinations of a workspace as YAML without any secret, in the form that can be imported again."""

from typing import Any

import yaml
from sqlalchemy import select

from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind, Settings
from webapp.destinations.editing import read_settings
from webapp.destinations.masking import mask_new_target
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.imports.alertcheck_export import VERSION, VERSION_KEY
from webapp.imports.exported_drills import describe_drills
from webapp.models import AlertDestination, Workspace
from webapp.text.tags import split_tags

HEADER = (
    "# Destinations of Alertcheck, without secrets. Import the file, and enter what each one needs.\n"
    "# An address is secret as a whole: host is its host alone, and is not imported.\n"
)


def write_export(workspace: Workspace, cipher: SettingsCipher) -> str:
    """Return the destinations of a workspace as YAML, in the order in which they were added."""
    kept = (AlertDestination.workspace_id == workspace.id) & AlertDestination.deleted_at.is_(None)
    found = db.session.scalars(select(AlertDestination).where(kept).order_by(AlertDestination.id))
    destinations = [_describe(destination, cipher) for destination in found]
    content = {VERSION_KEY: int(VERSION), "destinations": destinations}
    return HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _describe(destination: AlertDestination, cipher: SettingsCipher) -> dict[str, Any]:
    settings = read_settings(destination, cipher)
    described: dict[str, Any] = {
        "name": destination.name,
        "type": destination.type,
        "enabled": destination.is_enabled,
    }
    if destination.tags:
        described["tags"] = list(split_tags(destination.tags))
    described |= describe_drills(destination)
    if destination.type not in CHANNELS:
        return described
    return described | _describe_settings(destination.type, settings, cipher)


def _describe_settings(channel_name: str, settings: Settings, cipher: SettingsCipher) -> dict[str, Any]:
    channel = CHANNELS[channel_name]
    shown = {
        field.name: settings[field.name] for field in channel.fields if not field.is_secret and settings.get(field.name)
    }
    needs = [field.name for field in channel.fields if field.is_secret and (settings.get(field.name) or field.required)]
    masked = mask_new_target(channel_name, settings, cipher)
    is_address = channel.target_field.kind is FieldKind.ADDRESS
    host = {"host": masked.text} if masked and is_address else {}
    return host | {"settings": shown, "needs": needs}
