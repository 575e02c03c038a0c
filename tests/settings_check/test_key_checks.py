"""The encryption keys: settings that none of them decrypts are a problem that names the setting."""

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import update

from tests.factories import NOW, SeededIds, get_destination, on_both_databases
from webapp.application import create_app
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import read_settings
from webapp.settings_check.finding import Finding, Severity
from webapp.settings_check.key_checks import check_keys


def _check_with_keys(environment: dict[str, str], keys: str) -> Finding:
    with create_app(read_settings(environment | {"ALERTCHECK_CONFIG_KEYS": keys})).app_context():
        (finding,) = check_keys()
        db.engine.dispose()
    return finding


@on_both_databases
def test_keys_that_decrypt_all_settings_are_ok(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        assert [finding.severity for finding in check_keys()] == [Severity.OK]


def test_keys_of_another_installation_are_a_problem_that_names_the_setting(
    environment: dict[str, str], seeded: SeededIds
) -> None:
    finding = _check_with_keys(environment, Fernet.generate_key().decode())

    assert finding.severity is Severity.PROBLEM
    assert finding.text.startswith("No key in ALERTCHECK_CONFIG_KEYS decrypts the settings of 2 destinations")


def test_a_key_that_is_not_the_first_is_enough(environment: dict[str, str], seeded: SeededIds) -> None:
    keys = f"{Fernet.generate_key().decode()},{environment['ALERTCHECK_CONFIG_KEYS']}"

    assert _check_with_keys(environment, keys).severity is Severity.OK


def test_settings_copied_to_another_row_are_counted(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        copied = get_destination(seeded).config
        db.session.execute(update(AlertDestination).where(AlertDestination.config != copied).values(config=copied))
        (finding,) = check_keys()

    assert "the settings of 1 destination, so" in finding.text


def test_deleted_destinations_are_not_counted(environment: dict[str, str], app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        db.session.execute(update(AlertDestination).values(deleted_at=NOW))
        db.session.commit()

    assert _check_with_keys(environment, Fernet.generate_key().decode()).severity is Severity.OK
