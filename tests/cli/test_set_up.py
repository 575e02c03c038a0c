"""The command that makes a set-up link."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import Run
from tests.factories import SeededIds
from webapp.application import create_app
from webapp.auth.set_up_links import find_link
from webapp.extensions import db
from webapp.models import AuditEvent, database_clock
from webapp.settings import read_settings

URL = "https://alertcheck.example.com"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ALERTCHECK_PUBLIC_URL": URL}


def _read_token(app: Flask, result: Result, origin: str = URL) -> str:
    """Return the token, whose link is all that standard output contains."""
    assert (result.exit_code, result.stdout.startswith(f"{origin}/set-up/")) == (0, True)
    return result.stdout.removeprefix(f"{origin}/set-up/").removesuffix("\n")


def _is_first(app: Flask, token: str) -> bool | None:
    with app.app_context():
        link = find_link(token, database_clock.now())
        return link.is_first if link else None


def test_it_prints_the_link_for_the_first_account(app: Flask, run: Run) -> None:
    result = run("setup-link")

    assert _is_first(app, _read_token(app, result)) is True
    assert "makes the first account and workspace. It works once, for one hour." in result.stderr


def test_it_prints_a_link_for_an_instance_admin_once_there_are_accounts(
    app: Flask, seeded: SeededIds, run: Run
) -> None:
    result = run("setup-link")

    assert _is_first(app, _read_token(app, result)) is False
    assert "an instance admin for one session" in result.stderr


def test_each_link_replaces_the_one_before(app: Flask, run: Run) -> None:
    tokens = [_read_token(app, run("setup-link")) for _ in range(3)]

    assert [_is_first(app, token) for token in tokens] == [None, None, True]


def test_each_link_stands_in_the_audit_trail_without_its_token(app: Flask, run: Run) -> None:
    token = _read_token(app, run("setup-link"))

    with app.app_context():
        (event,) = db.session.scalars(select(AuditEvent))
        assert (event.workspace_id, event.account_name, event.action) == (None, "Command line", "made a set-up link")
        assert token not in repr(vars(event))


def test_without_the_address_of_the_pages_it_prints_the_path(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_PUBLIC_URL": ""}))
    result = app.test_cli_runner().invoke(args=["setup-link"])

    assert _is_first(app, _read_token(app, result, "")) is True
    assert "Set ALERTCHECK_PUBLIC_URL" in result.stderr
