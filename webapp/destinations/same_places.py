"""Recognizes destinations that lead to the same place, however their settings are spelled."""

from sqlalchemy import Select, select

from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind, Settings
from webapp.destinations.editing import read_settings
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDestination, Workspace
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import TargetKind
from webapp.text.names import quote_name

# Names that a warning lists.
MAX_NAMED = 3

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
    places: dict[Place, str] = {}
    for destination in db.session.scalars(_kept_in(workspace.id)):
        place = _find_stored(destination, cipher, outbound)
        if place is not None:
            places.setdefault(place, destination.name)
    return places


def find_place_warning(destination: AlertDestination, cipher: SettingsCipher, outbound: OutboundClient) -> str | None:
    """Return a warning if other destinations of the workspace lead to the same place; None if none does.

    It is allowed, but an alert for both arrives twice. Decrypts the settings of those over the same channel.
    """
    own, others = _find_stored(destination, cipher, outbound), _kept_in(destination.workspace_id)
    others = others.where(AlertDestination.type == destination.type, AlertDestination.id != destination.id)
    same = [other.name for other in db.session.scalars(others) if own and _find_stored(other, cipher, outbound) == own]
    if not same:
        return None
    named, more = ", ".join(map(quote_name, same[:MAX_NAMED])), len(same) - MAX_NAMED
    who = "Other destinations of this workspace send" if same[1:] else "Another destination of this workspace sends"
    return f"{who} to the same place: {named}{f' and {more} more' if more > 0 else ''}."


def _kept_in(workspace_id: int) -> Select[AlertDestination]:
    kept = (AlertDestination.workspace_id == workspace_id) & AlertDestination.deleted_at.is_(None)
    return select(AlertDestination).where(kept).order_by(AlertDestination.id)


def _find_stored(destination: AlertDestination, cipher: SettingsCipher, outbound: OutboundClient) -> Place | None:
    if destination.type not in CHANNELS:
        return None
    return find_place(destination.type, read_settings(destination, cipher), outbound)


def _spell_out(channel_name: str, settings: Settings) -> tuple[str, ...]:
    """Return what a receiver without a name of its own, such as a trusted one, is recognized by."""
    channel = CHANNELS[channel_name]
    if channel.target_field.kind is FieldKind.ADDRESS:
        return (settings[channel.target_field.name],)
    how = (FieldKind.CHOICE, FieldKind.FLAG)
    return tuple(f"{field.name}={settings.get(field.name, '')}" for field in channel.fields if field.kind not in how)
