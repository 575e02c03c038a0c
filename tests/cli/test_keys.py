"""The command for the keys that encrypt destinations' settings."""

from cryptography.fernet import Fernet
from flask import Flask

from tests.cli.commands import Run
from tests.factories import SECRET_PATH, SeededIds, get_destination
from webapp.application import create_app
from webapp.extensions import db
from webapp.settings import read_settings


def test_keys_are_rotated_and_counted(environment: dict[str, str], seeded: SeededIds) -> None:
    keys = f"{Fernet.generate_key().decode()},{environment['ALERTCHECK_CONFIG_KEYS']}"
    runner = create_app(read_settings(environment | {"ALERTCHECK_CONFIG_KEYS": keys})).test_cli_runner()

    counts = [runner.invoke(args=["rotate-keys"]).output for _ in range(2)]

    assert counts == [
        "Re-encrypted: 2. Already current: 0. Unreadable: 0.\n",
        "Re-encrypted: 0. Already current: 2. Unreadable: 0.\n",
    ]


def test_a_rotation_with_unreadable_settings_asks_to_keep_the_old_keys(app: Flask, seeded: SeededIds, run: Run) -> None:
    with app.app_context():
        get_destination(seeded).config = "garbage"
        db.session.commit()

    result = run("rotate-keys")

    assert result.exit_code == 1
    assert "Re-encrypted: 0. Already current: 1. Unreadable: 1." in result.output
    assert "Keep the old keys" in result.output
    assert SECRET_PATH not in result.output
