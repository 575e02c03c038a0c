"""After a rotation the newest key decrypts all settings that any key decrypted, and nothing else has changed."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from tests.factories import NOW, SeededIds, get_account, get_workspace, on_both_databases
from webapp.destinations.editing import add_destination, delete_destination
from webapp.destinations.key_rotation import Rotation, rotate_keys
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import AppSettings

SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}
NEW_KEY = Fernet.generate_key().decode()


@pytest.fixture
def destination(context: None, seeded: SeededIds, app_settings: AppSettings) -> AlertDestination:
    workspace, account = get_workspace(seeded), get_account(seeded)
    return add_destination(workspace, account, "webhook", "Pager", SETTINGS, app_settings.cipher, NOW)


@pytest.fixture
def new_cipher(environment: dict[str, str]) -> SettingsCipher:
    """A cipher that encrypts with a new key and also decrypts with the old one."""
    return SettingsCipher([NEW_KEY, environment["ALERTCHECK_CONFIG_KEYS"]], "any")


@on_both_databases
def test_after_a_rotation_the_new_key_alone_decrypts_all_settings(
    destination: AlertDestination, new_cipher: SettingsCipher
) -> None:
    assert rotate_keys(new_cipher, NOW) == Rotation(rotated=3)

    db.session.expire_all()
    assert (
        SettingsCipher([NEW_KEY], "any").decrypt(destination.config, context=destination.encryption_context) == SETTINGS
    )


def test_a_repeated_rotation_changes_nothing(destination: AlertDestination, new_cipher: SettingsCipher) -> None:
    rotate_keys(new_cipher, NOW)

    assert rotate_keys(new_cipher, NOW) == Rotation(current=3)


def test_a_rotation_leaves_a_waiting_test_alone(destination: AlertDestination, new_cipher: SettingsCipher) -> None:
    rotate_keys(new_cipher, NOW)

    db.session.expire_all()
    assert (destination.settings_version, destination.updated_at) == (1, NOW)


def test_a_rotation_counts_unreadable_settings_and_rotates_the_rest(
    destination: AlertDestination, new_cipher: SettingsCipher
) -> None:
    destination.config = "gAAAA garbage"
    db.session.commit()

    assert rotate_keys(new_cipher, NOW) == Rotation(rotated=2, unreadable=1)
    assert destination.config == "gAAAA garbage"


def test_a_rotation_skips_deleted_destinations(
    destination: AlertDestination, seeded: SeededIds, new_cipher: SettingsCipher
) -> None:
    delete_destination(destination, get_account(seeded), NOW + timedelta(hours=1))

    assert rotate_keys(new_cipher, NOW) == Rotation(rotated=2)
