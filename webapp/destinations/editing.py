"""Adds, changes, enables, disables and deletes destinations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from webapp.audit import Action, Actor, describe_change, record_destination_event
from webapp.channels import CHANNELS
from webapp.channels.fields import Field, fill_in
from webapp.deliveries.requesting.planned_test_transitions import end_planned_test, withdraw_paging_confirmation
from webapp.destinations.form_versions import find_version
from webapp.destinations.search_index import erase_search_keys, write_search_keys
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.extensions import db
from webapp.models import Account, AlertDestination, PlanEnd, Workspace
from webapp.models.locking import lock_destination
from webapp.text.tags import join_tags, split_tags


class DestinationGone(Exception):
    """The destination was deleted while it was being changed."""


class DestinationChanged(Exception):
    """The name, the tags or the settings are no longer those that the change was meant for."""


def read_settings(destination: AlertDestination, cipher: SettingsCipher) -> dict[str, str]:
    """Return a destination's settings; empty if they cannot be decrypted, so that the user enters all of them again."""
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
    tags: Sequence[str] = (),
) -> AlertDestination:
    """Add an enabled destination and commit. settings: already validated by the channel's checks."""
    destination = insert_destination(workspace, account, channel_name, name, settings, cipher, now, tags)
    db.session.commit()
    return destination


def insert_destination(
    workspace: Workspace,
    by: Account | Actor,
    channel_name: str,
    name: str,
    settings: Mapping[str, str],
    cipher: SettingsCipher,
    now: datetime,
    tags: Sequence[str] = (),
    *,
    is_enabled: bool = True,
) -> AlertDestination:
    """Add a destination as `add_destination` does. The caller commits."""
    destination = AlertDestination(
        workspace_id=workspace.id,
        name=name,
        type=channel_name,
        config="",
        tags=join_tags(tags),
        created_at=now,
        updated_at=now,
    )
    destination.is_enabled = is_enabled
    db.session.add(destination)
    db.session.flush()  # assigns the id that the encryption context needs
    filled_in = {field: value for field, value in settings.items() if value}
    destination.config = cipher.encrypt(filled_in, context=destination.encryption_context)
    write_search_keys(destination, filled_in, cipher)
    channel = CHANNELS.get(channel_name)
    chosen = _find_changed(filled_in, {}, channel.fields if channel else ())
    record_destination_event(destination, by, Action.ADDED, now, changed=["name", *chosen])
    return destination


def change_destination(
    destination: AlertDestination,
    account: Account,
    name: str | None,
    typed: Mapping[str, str],
    cipher: SettingsCipher,
    now: datetime,
    removed: Collection[str] = (),
    tags: Sequence[str] | None = None,
    version: str | None = None,
) -> bool:
    """Rename a destination, replace its settings and tags, and commit. New settings cancel a test that still waits.

    name: None to keep it. typed: a value for every setting; see `fill_in` for what a blank one means.
    removed: the settings whose stored values are not kept. tags: None to keep those that it has.
    version: the only one that may be changed, see `find_version`; None for any.
    Returns False if another version has all of this already, as after the first of two submissions of a form.
    Raises `DestinationGone` if deleted meanwhile, and `DestinationChanged` if another version would be changed.
    """
    _lock_to_change(destination)
    is_seen = version in (None, find_version(destination))
    changed = _replace_settings(destination, typed, removed, cipher)
    if name is not None and destination.name != name:
        destination.name, changed = name, [describe_change("name", destination.name, name), *changed]
    changed += set_tags(destination, split_tags(destination.tags) if tags is None else tags)
    if not changed:
        db.session.rollback()
        return is_seen
    if not is_seen:
        db.session.rollback()
        raise DestinationChanged
    destination.updated_at = now
    record_destination_event(destination, account, Action.CHANGED, now, changed)
    db.session.commit()
    return True


def _replace_settings(
    destination: AlertDestination, typed: Mapping[str, str], removed: Collection[str], cipher: SettingsCipher
) -> list[str]:
    """Replace a destination's settings as `change_destination` does. Returns the names of those that are new."""
    stored = read_settings(destination, cipher)
    channel = CHANNELS.get(destination.type)
    kept = {name: value for name, value in stored.items() if name not in removed}
    fields = channel.fields if channel else ()
    settings = fill_in(typed, kept, fields)
    changed = _find_changed(settings, stored, fields)
    if changed:
        filled_in = {field: value for field, value in settings.items() if value}
        destination.config = cipher.encrypt(filled_in, context=destination.encryption_context)
        destination.settings_version = AlertDestination.settings_version + 1
        write_search_keys(destination, settings, cipher)
        withdraw_paging_confirmation(destination)
    return changed


def set_tags(destination: AlertDestination, tags: Sequence[str]) -> list[str]:
    """Replace a destination's tags. Returns what to record: nothing if they are the same."""
    before, destination.tags = destination.tags, join_tags(tags)
    return [describe_change("tags", before, destination.tags)] if destination.tags != before else []


def _lock_to_change(destination: AlertDestination) -> None:
    lock_destination(destination)
    if destination.deleted_at is not None:
        db.session.rollback()
        raise DestinationGone


def _find_changed(settings: Mapping[str, str], stored: Mapping[str, str], fields: tuple[Field, ...]) -> list[str]:
    """Return the names of the settings that are new. A default is none: it applies before it is stored, too."""
    before = {**{field.name: field.default for field in fields}, **stored}
    return [name for name, value in settings.items() if before.get(name, "") != value]


def set_enabled(destination: AlertDestination, account: Account, is_enabled: bool, now: datetime) -> None:
    """Enable or disable a destination, and commit, unless it is so already. Disabling ends its planned test."""
    if switch(destination, account, is_enabled, now):
        db.session.commit()
    else:
        db.session.rollback()


def switch(destination: AlertDestination, account: Account, is_enabled: bool, now: datetime) -> bool:
    """Enable or disable a destination as `set_enabled` does. Returns whether it did. The caller commits."""
    lock_destination(destination)
    if destination.is_enabled is is_enabled or destination.deleted_at is not None:
        return False
    destination.is_enabled = is_enabled
    destination.updated_at = now
    if not is_enabled:
        end_planned_test(destination, PlanEnd.DISABLED, now, account.name)
    record_destination_event(destination, account, Action.ENABLED if is_enabled else Action.DISABLED, now)
    return True


def delete_destination(destination: AlertDestination, account: Account, now: datetime) -> None:
    """Mark a destination as deleted, erase its settings, end its planned test, and commit. Its deliveries stay."""
    lock_destination(destination)
    if destination.deleted_at is not None:
        db.session.rollback()
        return
    destination.deleted_at = now
    destination.is_enabled = False
    destination.config = ""
    erase_search_keys(destination)
    destination.updated_at = now
    end_planned_test(destination, PlanEnd.DISABLED, now, account.name)
    record_destination_event(destination, account, Action.DELETED, now)
    db.session.commit()
