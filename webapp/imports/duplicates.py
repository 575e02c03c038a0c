"""Recognizes destinations that lead to the same place, however their settings are spelled."""

from sqlalchemy import select

from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind, Settings
from webapp.destinations.editing import read_settings
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDestination, Workspace
from webapp.outbound import OutboundClient
from webapp.outbound.policy.send_targets import TargetKind

# A channel, what receives the messages there, and what tells apart several places of one receiver, such as threads.
Place = tuple[str, tuple[str, ...], tuple[str, ...]]


def find_place(channel_name: str, settings: Settings, outbound: OutboundClient) -> Place | None:
    """Return where messages of checked settings go; None if the settings do not say where. Secret."""
    channel = CHANNELS[channel_name]
    if not settings.get(channel.target_field.name):
        return None
    targets = channel.targets(settings, outbound)
    # A host alone has many receivers.
    names = tuple(sorted(target.name for target in targets if target.kind is not TargetKind.HOST))
    texts = [field for field in channel.fields if field.kind is FieldKind.TEXT]
    return (
        channel_name,
        names or _spell_out(channel_name, settings),
        tuple(settings.get(field.name, "") for field in texts),
    )


def list_places(workspace: Workspace, cipher: SettingsCipher, outbound: OutboundClient) -> dict[Place, str]:
    """Return the places that a workspace has destinations for, each with the name of the first one."""
    kept = (AlertDestination.workspace_id == workspace.id) & AlertDestination.deleted_at.is_(None)
    places: dict[Place, str] = {}
    for destination in db.session.scalars(select(AlertDestination).where(kept).order_by(AlertDestination.id)):
        if destination.type in CHANNELS:
            place = find_place(destination.type, read_settings(destination, cipher), outbound)
            if place is not None:
                places.setdefault(place, destination.name)
    return places


def _spell_out(channel_name: str, settings: Settings) -> tuple[str, ...]:
    """Return what a receiver without a name of its own, such as a trusted one, is recognized by."""
    channel = CHANNELS[channel_name]
    if channel.target_field.kind is FieldKind.ADDRESS:
        return (settings[channel.target_field.name],)
    how = (FieldKind.CHOICE, FieldKind.FLAG)
    return tuple(f"{field.name}={settings.get(field.name, '')}" for field in channel.fields if field.kind not in how)
