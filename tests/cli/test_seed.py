"""The command that adds the data of the demo."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, select

from tests.cli.commands import Run, read_roles
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import AlertDestination, Role
from webapp.settings import read_settings


def test_seed_demo_exists_only_in_a_demo(run: Run) -> None:
    result = run("seed-demo")

    assert (result.exit_code, "No such command 'seed-demo'" in result.output) == (2, True)


@pytest.fixture
def demo(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    inbox = str(tmp_path / "inbox.sqlite")
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": inbox,
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:4001",
    }


def _seed(demo: dict[str, str]) -> str:
    return create_app(read_settings(demo)).test_cli_runner().invoke(args=["seed-demo"]).output


def test_the_demo_has_two_workspaces_and_every_channel(app: Flask, demo: dict[str, str]) -> None:
    assert _seed(demo) == "workspaces added\n"

    assert read_roles(app, "support@demo.invalid") == {"harbor": Role.SUPPORT, "clinic": Role.SUPPORT}
    with app.app_context():
        assert set(db.session.scalars(select(AlertDestination.type))) == set(CHANNELS)


def test_seeding_again_adds_nothing(app: Flask, demo: dict[str, str]) -> None:
    _seed(demo)
    before = _count(app, AlertDestination.id.is_not(None))

    assert _seed(demo) == "0 addresses updated\n"
    assert _count(app, AlertDestination.id.is_not(None)) == before > 0


def test_seeding_again_follows_the_receiver_to_its_new_port(app: Flask, demo: dict[str, str]) -> None:
    _seed(demo)

    result = _seed(demo | {"ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:4002"})

    is_updated = (AlertDestination.type != "email") & AlertDestination.deleted_at.is_(None)
    assert result == f"{_count(app, is_updated)} addresses updated\n"


def _count(app: Flask, which: ColumnElement[bool]) -> int:
    with app.app_context():
        return len(db.session.scalars(select(AlertDestination).where(which)).all())
