"""Changes several destinations of a workspace at once: all of them, or none if the database fails."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.audit import Action, record_destination_event
from webapp.channels import CHANNELS
from webapp.destinations.editing import read_settings, set_tags, switch
from webapp.destinations.secret_names import list_secret_parts
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Workspace
from webapp.models.locking import lock_destination
from webapp.text.tags import TagsInvalid, check_number, join_tags, split_tags


@dataclass(frozen=True)
class BulkResult:
    """Numbers of destinations.

    unchanged: those that were so already. refused: those that the change does not fit. revealed: those of which a new
    tag contains the address or a secret, so that they were not changed either.
    """

    changed: int
    unchanged: int = 0
    refused: int = 0
    revealed: int = 0


def load_chosen(workspace: Workspace, ids: Collection[int]) -> Sequence[AlertDestination]:
    """Return those of these destinations that the workspace has, by id, which is the order to lock them in."""
    own = AlertDestination.workspace_id == workspace.id
    chosen = select(AlertDestination).where(own, AlertDestination.id.in_(ids), AlertDestination.deleted_at.is_(None))
    return db.session.scalars(chosen.order_by(AlertDestination.id)).all()


def set_all_enabled(
    destinations: Sequence[AlertDestination], account: Account, is_enabled: bool, now: datetime
) -> BulkResult:
    """Enable or disable destinations, and commit. Disabling ends their planned tests."""
    changed = sum(switch(destination, account, is_enabled, now) for destination in destinations)
    db.session.commit()
    return BulkResult(changed, len(destinations) - changed)


def change_all_tags(
    destinations: Sequence[AlertDestination],
    account: Account,
    added: Collection[str],
    removed: Collection[str],
    cipher: SettingsCipher,
    now: datetime,
) -> BulkResult:
    """Add and remove tags of destinations, and commit.

    A destination that would get too many, or one with a secret of its own, keeps those it has.
    """
    changed = refused = revealed = 0
    for destination in destinations:
        lock_destination(destination)
        if destination.deleted_at is not None:
            continue
        if added and _reveal_secret(added, destination, cipher):
            revealed += 1
            continue
        try:
            tags = check_number({*split_tags(destination.tags), *added} - {*removed})
        except TagsInvalid:
            refused += 1
            continue
        if record := set_tags(destination, tags):
            destination.updated_at = now
            record_destination_event(destination, account, Action.CHANGED, now, record)
            changed += 1
    db.session.commit()
    return BulkResult(changed, len(destinations) - changed - refused - revealed, refused, revealed)


def _reveal_secret(tags: Collection[str], destination: AlertDestination, cipher: SettingsCipher) -> bool:
    channel = CHANNELS.get(destination.type)
    secret = list_secret_parts(read_settings(destination, cipher), channel.fields if channel else ())
    return secret.are_in(join_tags(tags))
