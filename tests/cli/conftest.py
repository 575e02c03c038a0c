"""Fixtures for the tests of the commands."""

import pytest
from click.testing import Result
from flask import Flask

from tests.cli.commands import PASSWORD, Run
from tests.factories import NOW, SeededIds
from webapp.auth.accounts import add_account
from webapp.extensions import db


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command as `flask --app wsgi` does; typed: its standard input."""

    def run(*words: str, typed: str = "") -> Result:
        return app.test_cli_runner().invoke(args=words, input=typed)

    return run


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An account with a password."""
    with app.app_context():
        account = add_account("owner@example.com", "Owner", PASSWORD, NOW)
        db.session.commit()
        return account.id
