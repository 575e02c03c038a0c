"""Warns of destinations that send to the same place, which is allowed: an alert for both would arrive twice."""

from sqlalchemy import select

from webapp.channels import CHANNELS
from webapp.destinations.editing import read_settings
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.outbound.policy.send_targets import unify_recipient
from webapp.outbound.smtp.recipients import read_recipients

# Names that the warning lists.
MAX_NAMED = 3


def find_target_warning(destination: AlertDestination, cipher: SettingsCipher) -> str | None:
    """Return a warning if other destinations of the workspace send to the same place; None if none does.

    Decrypts the settings of the workspace's other destinations over the same channel.
    """
    own = _identify(destination, cipher)
    others = select(AlertDestination).where(
        AlertDestination.workspace_id == destination.workspace_id,
        AlertDestination.id != destination.id,
        AlertDestination.type == destination.type,
        AlertDestination.deleted_at.is_(None),
    )
    same = [other.name for other in db.session.scalars(others) if own and _identify(other, cipher) == own]
    if not same:
        return None
    named = ", ".join(f"“{name}”" for name in sorted(same)[:MAX_NAMED])
    more = f" and {len(same) - MAX_NAMED} more" if len(same) > MAX_NAMED else ""
    return (
        f"Other destinations of this workspace send to the same place: {named}{more}."
        if same[1:]
        else (f"Another destination of this workspace sends to the same place: {named}.")
    )


def _identify(destination: AlertDestination, cipher: SettingsCipher) -> object:
    """Return what is the same for two destinations with the same receiver: its required settings, or its recipients."""
    channel, settings = CHANNELS.get(destination.type), read_settings(destination, cipher)
    if channel is None or not settings:
        return None
    if "recipients" in settings:
        return frozenset(map(unify_recipient, read_recipients(settings["recipients"])))
    return {field.name: settings.get(field.name) for field in channel.fields if field.required}
