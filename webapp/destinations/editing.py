"""Add, change, enable, disable and delete destinations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from webapp.audit import Action, record_destination_event
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Workspace
from webapp.models.locking import lock_destination


class DestinationGone(Exception):
    """The destination was deleted while it was being changed."""


def read_settings(destination: AlertDestination, cipher: SettingsCipher) -> dict[str, str]:
    """Open a destination's settings; empty if they can't be read, so that all of them must be entered again."""
    try:
        return cipher.decrypt(destination.config, context=destination.encryption_context)
    except SettingsUnreadable:
        return {}


def add_destination(
    workspace: Workspace,
    account: Account,
    channel_name: str,
    name: str,
    settings: Mapping[str, str],
    cipher: SettingsCipher,
    now: datetime,
) -> AlertDestination:
    """Add an enabled destination. `settings` have passed the channel's checks."""
    destination = AlertDestination(
        workspace_id=workspace.id, name=name, type=channel_name, config="", created_at=now, updated_at=now
    )
    db.session.add(destination)
    db.session.flush()  # gives the id that the settings are sealed for
    destination.config = cipher.encrypt(settings, context=destination.encryption_context)
    record_destination_event(destination, account, Action.ADDED, now, changed=["name", *settings])
    db.session.commit()
    return destination


def change_destination(
    destination: AlertDestination,
    account: Account,
    name: str,
    typed: Mapping[str, str],
    cipher: SettingsCipher,
    now: datetime,
) -> None:
    """Rename a destination and replace its settings. New settings end a test that still waits.

    typed: every setting; blank keeps what is stored. Raises `DestinationGone` if it was deleted meanwhile.
    """
    lock_destination(destination)
    if destination.deleted_at is not None:
        db.session.rollback()
        raise DestinationGone
    stored = read_settings(destination, cipher)
    settings = {field: value or stored.get(field, "") for field, value in typed.items()}
    changed = [field for field, value in settings.items() if stored.get(field) != value]
    if changed:
        destination.config = cipher.encrypt(settings, context=destination.encryption_context)
        destination.settings_version = AlertDestination.settings_version + 1
    if destination.name != name:
        destination.name = name
        changed = ["name", *changed]
    if not changed:
        db.session.rollback()
        return
    destination.updated_at = now
    record_destination_event(destination, account, Action.CHANGED, now, changed)
    db.session.commit()


def set_enabled(destination: AlertDestination, account: Account, is_enabled: bool, now: datetime) -> None:
    """Enable or disable a destination."""
    destination.is_enabled = is_enabled
    destination.updated_at = now
    record_destination_event(destination, account, Action.ENABLED if is_enabled else Action.DISABLED, now)
    db.session.commit()


def delete_destination(destination: AlertDestination, account: Account, now: datetime) -> None:
    """Take a destination out of use for good: its settings are erased, its deliveries stay."""
    destination.deleted_at = now
    destination.is_enabled = False
    destination.config = ""
    destination.updated_at = now
    record_destination_event(destination, account, Action.DELETED, now)
    db.session.commit()


@dataclass
class Rotation:
    """How many destinations' settings were sealed anew, were already, or could not be opened with any key."""

    rotated: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(cipher: SettingsCipher) -> Rotation:
    """Seal every destination's settings with the newest key. Each is committed by itself, so it can be run again."""
    rotation = Rotation()
    in_use = select(AlertDestination.id, AlertDestination.config).where(AlertDestination.deleted_at.is_(None))
    for destination_id, token in db.session.execute(in_use.order_by(AlertDestination.id)).all():
        if cipher.is_current(token):
            rotation.current += 1
            continue
        try:
            _replace_token(destination_id, token, cipher.rotate(token))
            rotation.rotated += 1
        except SettingsUnreadable:
            rotation.unreadable += 1
    return rotation


def _replace_token(destination_id: int, old: str, new: str) -> None:
    # Only if nobody has saved other settings meanwhile: those are sealed with the newest key already.
    unchanged = (AlertDestination.id == destination_id) & (AlertDestination.config == old)
    db.session.execute(update(AlertDestination).where(unchanged).values(config=new))
    db.session.commit()
