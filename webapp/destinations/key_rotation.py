"""Re-encrypts all destinations' settings with the newest key, and counts those that no key decrypts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from webapp.audit import COMMAND_LINE, Action, record_instance_event
from webapp.destinations.search_index import renew_search_keys
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.models.destination import make_encryption_context


@dataclass
class Rotation:
    """Result of a key rotation, in destinations: re-encrypted, already current, or not readable with any key."""

    rotated: int = 0
    current: int = 0
    unreadable: int = 0


def rotate_keys(cipher: SettingsCipher, now: datetime) -> Rotation:
    """Re-encrypt every destination's settings, and hash what finds it, with the newest key. It is safe to run again.

    Records by command how many were re-encrypted, if any were.
    """
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
    renew_search_keys(cipher)
    if rotation.rotated:
        unreadable = [f"unreadable: {rotation.unreadable}"] if rotation.unreadable else []
        subject = f"{rotation.rotated} destination{'s' * (rotation.rotated != 1)}"
        record_instance_event(Action.KEYS_ROTATED, subject, now, COMMAND_LINE, unreadable)
        db.session.commit()
    return rotation


def count_unreadable(cipher: SettingsCipher) -> int:
    """Count the destinations whose settings no key decrypts."""
    columns = (AlertDestination.id, AlertDestination.workspace_id, AlertDestination.config)
    # A few at a time: the settings of 10,000 destinations take 31 MB.
    in_use = select(*columns).where(AlertDestination.deleted_at.is_(None)).execution_options(yield_per=500)
    return sum(
        not _is_readable(row.config, make_encryption_context(row.workspace_id, row.id), cipher)
        for row in db.session.execute(in_use)
    )


def _is_readable(token: str, context: str, cipher: SettingsCipher) -> bool:
    try:
        cipher.decrypt(token, context=context)
    except SettingsUnreadable:
        return False
    return True


def _replace_token(destination_id: int, old: str, new: str) -> None:
    # Skips settings that were saved in the meantime: those are already encrypted with the newest key.
    unchanged = (AlertDestination.id == destination_id) & (AlertDestination.config == old)
    db.session.execute(update(AlertDestination).where(unchanged).values(config=new))
    db.session.commit()
