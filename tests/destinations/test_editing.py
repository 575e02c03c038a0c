"""Stored destinations: encrypted for their row, versioned, and never lost by accident."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
)
from webapp.destinations.editing import (
    DestinationGone,
    add_destination,
    change_destination,
    delete_destination,
    read_settings,
    set_enabled,
)
from webapp.destinations.form_versions import find_version
from webapp.encryption.settings_cipher import SettingsUnreadable
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus
from webapp.settings import AppSettings

LATER = NOW + timedelta(hours=1)
MAILBOX = {"recipients": "ann@example.com"}
SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}


@pytest.fixture
def destination(context: None, seeded: SeededIds, app_settings: AppSettings) -> AlertDestination:
    return add_destination(
        get_workspace(seeded), get_account(seeded), "webhook", "Pager", SETTINGS, app_settings.cipher, NOW
    )


@pytest.fixture
def mailbox(context: None, seeded: SeededIds, app_settings: AppSettings) -> AlertDestination:
    """An email destination as it was stored before it had flags."""
    workspace, account = get_workspace(seeded), get_account(seeded)
    return add_destination(workspace, account, "email", "Desk", MAILBOX, app_settings.cipher, NOW)


def _decrypt(destination: AlertDestination, app_settings: AppSettings) -> dict[str, str]:
    return app_settings.cipher.decrypt(destination.config, context=destination.encryption_context)


def _change(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings, name: str = "Pager", **typed: str
) -> None:
    """Save a destination's form; settings that are not given are blank."""
    blank = dict.fromkeys(SETTINGS, "")
    change_destination(destination, get_account(seeded), name, blank | typed, app_settings.cipher, LATER)


@on_both_databases
def test_a_new_destination_is_enabled_and_was_never_changed(destination: AlertDestination) -> None:
    assert (destination.is_enabled, destination.settings_version, destination.deleted_at) == (True, 1, None)
    assert (destination.created_at, destination.updated_at) == (NOW, NOW)


def test_settings_are_encrypted_and_decrypted_again(destination: AlertDestination, app_settings: AppSettings) -> None:
    assert "canary" not in destination.config
    assert _decrypt(destination, app_settings) == SETTINGS


def test_settings_copied_to_another_row_cannot_be_decrypted(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    other = get_destination(seeded)
    other.config = destination.config

    with pytest.raises(SettingsUnreadable):
        _decrypt(other, app_settings)


def test_the_same_settings_are_never_encrypted_to_the_same_text(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    twin = add_destination(
        get_workspace(seeded), get_account(seeded), "webhook", "Pager", SETTINGS, app_settings.cipher, NOW
    )

    assert twin.config != destination.config


@on_both_databases
def test_new_settings_count_as_a_new_version(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    _change(destination, seeded, app_settings, signing_secret="whsec_new")

    assert _decrypt(destination, app_settings) == SETTINGS | {"signing_secret": "whsec_new"}
    assert (destination.settings_version, destination.updated_at) == (2, LATER)


def test_a_new_name_leaves_the_settings_and_their_version_alone(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    before = destination.config

    _change(destination, seeded, app_settings, "Siren")

    assert (destination.name, destination.updated_at) == ("Siren", LATER)
    assert (destination.config, destination.settings_version) == (before, 1)


@pytest.mark.parametrize("typed", [{}, SETTINGS], ids=["left blank", "typed again"])
def test_saving_unchanged_values_changes_nothing(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings, typed: dict[str, str]
) -> None:
    before = destination.config

    _change(destination, seeded, app_settings, **typed)

    assert (destination.config, destination.settings_version, destination.updated_at) == (before, 1, NOW)


def test_of_two_submissions_of_a_form_the_second_one_finds_all_of_it_saved(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    version, account, typed = find_version(destination), get_account(seeded), dict.fromkeys(SETTINGS, "")
    change = partial(
        change_destination, destination, account, "Siren", typed, app_settings.cipher, LATER, version=version
    )

    assert [change(), change()] == [True, False]
    assert destination.name == "Siren"


def test_two_changes_from_the_same_page_count_as_two_versions(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    _change(destination, seeded, app_settings, address="https://one.example.com/")
    _change(destination, seeded, app_settings, signing_secret="whsec_two")

    assert destination.settings_version == 3
    assert _decrypt(destination, app_settings) == {"address": "https://one.example.com/", "signing_secret": "whsec_two"}


def _save_mailbox(mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings, flag: str) -> AuditEvent:
    """Save the form of an email destination with a new name, and return what the audit trail tells."""
    typed = MAILBOX | {"omit_auto_submitted": flag}
    change_destination(mailbox, get_account(seeded), f"{mailbox.name}!", typed, app_settings.cipher, LATER)
    return db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


@on_both_databases
def test_a_flag_is_turned_on_and_off_and_each_is_a_new_version(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    turned_on = _save_mailbox(mailbox, seeded, app_settings, "yes")
    settings = _decrypt(mailbox, app_settings)
    turned_off = _save_mailbox(mailbox, seeded, app_settings, "")

    assert settings == MAILBOX | {"omit_auto_submitted": "yes"}
    assert _decrypt(mailbox, app_settings) == MAILBOX
    assert [turned_on.changed[1:], turned_off.changed[1:]] == [["omit_auto_submitted"]] * 2
    assert mailbox.settings_version == 3


def test_a_destination_from_before_a_flag_existed_can_be_renamed_without_a_new_version(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    renamed = _save_mailbox(mailbox, seeded, app_settings, "")

    assert (renamed.changed, mailbox.settings_version) == (["name “Desk” → “Desk!”"], 1)
    assert _decrypt(mailbox, app_settings) == MAILBOX


def test_a_destination_from_before_a_choice_existed_can_be_renamed_without_a_new_version(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    _change(destination, seeded, app_settings, name="Renamed", method="POST", body="standard")

    assert (destination.name, destination.settings_version) == ("Renamed", 1)
    assert _decrypt(destination, app_settings) == SETTINGS


def test_another_choice_is_a_new_version_and_named_in_the_audit_trail(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    _change(destination, seeded, app_settings, method="PUT", body="standard")

    changed = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (changed.changed, destination.settings_version) == (["method"], 2)


@pytest.mark.parametrize(("flag", "named"), [("", []), ("yes", ["omit_auto_submitted"])])
def test_the_audit_trail_names_what_was_filled_in_for_a_new_destination(
    context: None, seeded: SeededIds, app_settings: AppSettings, flag: str, named: list[str]
) -> None:
    settings = MAILBOX | {"omit_auto_submitted": flag}
    add_destination(get_workspace(seeded), get_account(seeded), "email", "Desk", settings, app_settings.cipher, NOW)

    added = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert added.changed == ["name", "recipients", *named]


def test_unreadable_settings_are_replaced_as_a_whole(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    destination.config = "garbage"
    assert read_settings(destination, app_settings.cipher) == {}

    _change(destination, seeded, app_settings, **SETTINGS)

    assert read_settings(destination, app_settings.cipher) == SETTINGS


@on_both_databases
def test_a_destination_deleted_in_the_meantime_is_not_changed(
    destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    deleted = update(AlertDestination).where(AlertDestination.id == destination.id).values(deleted_at=NOW, config="")
    db.session.execute(deleted.execution_options(synchronize_session=False))
    db.session.commit()

    with pytest.raises(DestinationGone):
        _change(destination, seeded, app_settings, "Siren", **SETTINGS)

    assert (destination.name, destination.config) == ("Pager", "")


@on_both_databases
@pytest.mark.parametrize("is_enabled", [True, False])
def test_enabling_and_disabling_change_nothing_else(
    destination: AlertDestination, seeded: SeededIds, is_enabled: bool
) -> None:
    destination.is_enabled, before = not is_enabled, destination.config

    set_enabled(destination, get_account(seeded), is_enabled, LATER)

    assert (destination.is_enabled, destination.updated_at) == (is_enabled, LATER)
    assert (destination.config, destination.settings_version) == (before, 1)


@on_both_databases
def test_deleting_erases_the_settings_and_keeps_the_row(destination: AlertDestination, seeded: SeededIds) -> None:
    delete_destination(destination, get_account(seeded), LATER)

    db.session.refresh(destination)
    assert (destination.config, destination.is_enabled, destination.deleted_at) == ("", False, LATER)
    assert destination.name == "Pager"


@on_both_databases
def test_deleting_keeps_every_delivery(destination: AlertDestination, seeded: SeededIds) -> None:
    test_send = add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    real_alert = add_real_alert(destination, status=DeliveryStatus.SENT, sent_at=NOW)

    delete_destination(destination, get_account(seeded), LATER)

    kept = select(AlertDelivery.id).where(AlertDelivery.alert_destination_id == destination.id)
    assert sorted(db.session.scalars(kept)) == sorted([test_send.id, real_alert.id])
