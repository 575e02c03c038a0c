"""Destinations as the database keeps them: sealed for their row, versioned, and never lost by accident."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from tests.factories import (
    NOW,
    Cast,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
)
from webapp.destinations.editing import (
    DestinationGone,
    Rotation,
    add_destination,
    change_destination,
    delete_destination,
    read_settings,
    rotate_keys,
    set_enabled,
)
from webapp.encryption.settings_cipher import Sealer, Unreadable
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.settings import Config

LATER = NOW + timedelta(hours=1)
SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}


@pytest.fixture
def destination(context: None, cast: Cast, config: Config) -> AlertDestination:
    return add_destination(get_workspace(cast), get_account(cast), "webhook", "Pager", SETTINGS, config.sealer, NOW)


def _open(destination: AlertDestination, config: Config) -> dict[str, str]:
    return config.sealer.open(destination.config, bound_to=destination.seal)


def _change(destination: AlertDestination, cast: Cast, config: Config, name: str = "Pager", **typed: str) -> None:
    """Save the form of a destination; what is not named was left blank."""
    blank = dict.fromkeys(SETTINGS, "")
    change_destination(destination, get_account(cast), name, blank | typed, config.sealer, LATER)


@on_both_databases
def test_a_new_destination_is_enabled_and_was_never_changed(destination: AlertDestination) -> None:
    assert (destination.is_enabled, destination.settings_version, destination.deleted_at) == (True, 1, None)
    assert (destination.created_at, destination.updated_at) == (NOW, NOW)


def test_settings_are_sealed_and_open_again(destination: AlertDestination, config: Config) -> None:
    assert "canary" not in destination.config
    assert _open(destination, config) == SETTINGS


def test_settings_that_are_copied_to_another_row_do_not_open(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    other = get_destination(cast)
    other.config = destination.config

    with pytest.raises(Unreadable):
        _open(other, config)


def test_the_same_settings_are_never_sealed_as_the_same_text(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    twin = add_destination(get_workspace(cast), get_account(cast), "webhook", "Pager", SETTINGS, config.sealer, NOW)

    assert twin.config != destination.config


@on_both_databases
def test_new_settings_count_as_a_new_version(destination: AlertDestination, cast: Cast, config: Config) -> None:
    _change(destination, cast, config, signing_secret="whsec_new")

    assert _open(destination, config) == SETTINGS | {"signing_secret": "whsec_new"}
    assert (destination.settings_version, destination.updated_at) == (2, LATER)


def test_a_new_name_leaves_the_settings_and_their_version_alone(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    before = destination.config

    _change(destination, cast, config, "Siren")

    assert (destination.name, destination.updated_at) == ("Siren", LATER)
    assert (destination.config, destination.settings_version) == (before, 1)


@pytest.mark.parametrize("typed", [{}, SETTINGS], ids=["left blank", "typed again"])
def test_saving_what_is_stored_already_changes_nothing(
    destination: AlertDestination, cast: Cast, config: Config, typed: dict[str, str]
) -> None:
    before = destination.config

    _change(destination, cast, config, **typed)

    assert (destination.config, destination.settings_version, destination.updated_at) == (before, 1, NOW)


def test_two_changes_from_the_same_page_count_as_two_versions(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    _change(destination, cast, config, address="https://one.example.com/")
    _change(destination, cast, config, signing_secret="whsec_two")

    assert destination.settings_version == 3
    assert _open(destination, config) == {"address": "https://one.example.com/", "signing_secret": "whsec_two"}


def test_settings_that_could_not_be_read_are_replaced_as_a_whole(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    destination.config = "garbage"
    assert read_settings(destination, config.sealer) == {}

    _change(destination, cast, config, **SETTINGS)

    assert read_settings(destination, config.sealer) == SETTINGS


@on_both_databases
def test_what_was_deleted_in_the_meantime_is_not_changed(
    destination: AlertDestination, cast: Cast, config: Config
) -> None:
    deleted = update(AlertDestination).where(AlertDestination.id == destination.id).values(deleted_at=NOW, config="")
    db.session.execute(deleted.execution_options(synchronize_session=False))
    db.session.commit()

    with pytest.raises(DestinationGone):
        _change(destination, cast, config, "Siren", **SETTINGS)

    assert (destination.name, destination.config) == ("Pager", "")


@on_both_databases
@pytest.mark.parametrize("is_enabled", [True, False])
def test_switching_leaves_all_else_alone(destination: AlertDestination, cast: Cast, is_enabled: bool) -> None:
    before = destination.config

    set_enabled(destination, get_account(cast), is_enabled, LATER)

    assert (destination.is_enabled, destination.updated_at) == (is_enabled, LATER)
    assert (destination.config, destination.settings_version) == (before, 1)


@on_both_databases
def test_deleting_erases_the_settings_and_keeps_the_row(destination: AlertDestination, cast: Cast) -> None:
    delete_destination(destination, get_account(cast), LATER)

    db.session.refresh(destination)
    assert (destination.config, destination.is_enabled, destination.deleted_at) == ("", False, LATER)
    assert destination.name == "Pager"


@on_both_databases
def test_deleting_keeps_every_delivery(destination: AlertDestination, cast: Cast) -> None:
    test_send = add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    real_alert = add_real_alert(destination, status=DeliveryStatus.SENT, sent_at=NOW)

    delete_destination(destination, get_account(cast), LATER)

    kept = select(AlertDelivery.id).where(AlertDelivery.alert_destination_id == destination.id)
    assert sorted(db.session.scalars(kept)) == sorted([test_send.id, real_alert.id])


NEW_KEY = Fernet.generate_key().decode()


@pytest.fixture
def rotating(environment: dict[str, str]) -> Sealer:
    """Seals with a new key, and opens with the old one too."""
    return Sealer([NEW_KEY, environment["CONFIG_KEYS"]], "any")


@on_both_databases
def test_after_a_rotation_the_new_key_alone_opens_all_settings(destination: AlertDestination, rotating: Sealer) -> None:
    assert rotate_keys(rotating) == Rotation(rotated=3)

    db.session.expire_all()
    assert Sealer([NEW_KEY], "any").open(destination.config, bound_to=destination.seal) == SETTINGS


def test_a_rotation_that_is_run_again_finds_nothing_to_do(destination: AlertDestination, rotating: Sealer) -> None:
    rotate_keys(rotating)

    assert rotate_keys(rotating) == Rotation(current=3)


def test_a_rotation_leaves_a_waiting_test_alone(destination: AlertDestination, rotating: Sealer) -> None:
    rotate_keys(rotating)

    db.session.expire_all()
    assert (destination.settings_version, destination.updated_at) == (1, NOW)


def test_a_rotation_counts_what_no_key_opens_and_does_the_rest(destination: AlertDestination, rotating: Sealer) -> None:
    destination.config = "gAAAA garbage"
    db.session.commit()

    assert rotate_keys(rotating) == Rotation(rotated=2, unreadable=1)
    assert destination.config == "gAAAA garbage"


def test_a_rotation_passes_by_what_was_deleted(destination: AlertDestination, cast: Cast, rotating: Sealer) -> None:
    delete_destination(destination, get_account(cast), LATER)

    assert rotate_keys(rotating) == Rotation(rotated=2)
