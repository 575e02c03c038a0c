"""Add, change, enable, disable and delete destinations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from webapp.extensions import db
from webapp.models import AlertDestination, Workspace
from webapp.sealing import Sealer, Unreadable


def add_destination(
    workspace: Workspace, channel_name: str, name: str, settings: Mapping[str, str], sealer: Sealer, now: datetime
) -> AlertDestination:
    """Add an enabled destination. `settings` have passed the channel's checks."""
    destination = AlertDestination(
        workspace_id=workspace.id, name=name, type=channel_name, config="", created_at=now, updated_at=now
    )
    db.session.add(destination)
    db.session.flush()  # gives the id that the settings are sealed for
    destination.config = sealer.seal(settings, bound_to=destination.seal)
    db.session.commit()
    return destination


def change_destination(
    destination: AlertDestination, name: str, settings: Mapping[str, str] | None, sealer: Sealer, now: datetime
) -> None:
    """Rename a destination and replace its settings; None keeps them. New settings end a test that still waits."""
    destination.name = name
    if settings is not None:
        destination.config = sealer.seal(settings, bound_to=destination.seal)
        destination.settings_version = AlertDestination.settings_version + 1
    destination.updated_at = now
    db.session.commit()


def set_enabled(destination: AlertDestination, is_enabled: bool, now: datetime) -> None:
    """Enable or disable a destination."""
    destination.is_enabled = is_enabled
    destination.updated_at = now
    db.session.commit()


def delete_destination(destination: AlertDestination, now: datetime) -> None:
    """Take a destination out of use for good: its settings are erased, its deliveries stay."""
    destination.deleted_at = now
    destination.is_enabled = False
    destination.config = ""
    destination.updated_at = now
    db.session.commit()


@dataclass
class Rotation:
    """How many destinations' settings were sealed anew, were already, or could not be opened with any key."""

    rotated: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(sealer: Sealer) -> Rotation:
    """Seal every destination's settings with the newest key. Each is committed by itself, so it can be run again."""
    rotation = Rotation()
    in_use = select(AlertDestination.id, AlertDestination.config).where(AlertDestination.deleted_at.is_(None))
    for destination_id, token in db.session.execute(in_use.order_by(AlertDestination.id)).all():
        if sealer.is_current(token):
            rotation.current += 1
            continue
        try:
            _replace_token(destination_id, token, sealer.rotate(token))
            rotation.rotated += 1
        except Unreadable:
            rotation.unreadable += 1
    return rotation


def _replace_token(destination_id: int, old: str, new: str) -> None:
    # Only if nobody has saved other settings meanwhile: those are sealed with the newest key already.
    unchanged = (AlertDestination.id == destination_id) & (AlertDestination.config == old)
    db.session.execute(update(AlertDestination).where(unchanged).values(config=new))
    db.session.commit()
