"""The command that adds the demo's data: its audit trail, and a database that is not migrated."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import list_events
from webapp.application import create_app
from webapp.database.reasons import Reason
from webapp.extensions import db
from webapp.models import Workspace
from webapp.settings import read_settings


@pytest.fixture
def demo_environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
        "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:1",
    }


@pytest.fixture
def demo_app(demo_environment: dict[str, str]) -> Flask:
    return create_app(read_settings(demo_environment))


def test_the_audit_trail_of_every_workspace_is_newest_first(demo_app: Flask) -> None:
    assert demo_app.test_cli_runner().invoke(args=["seed-demo"]).exit_code == 0

    with demo_app.app_context():
        workspaces = db.session.scalars(select(Workspace)).all()
        times = [[event.happened_at for event in list_events(workspace.id)] for workspace in workspaces]

    assert [bool(found) for found in times] == [True, True]
    assert times == [sorted(found, reverse=True) for found in times]


def test_without_a_schema_the_command_explains_what_to_do(demo_environment: dict[str, str], tmp_path: Path) -> None:
    app = create_app(read_settings(demo_environment | {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite"}))

    result = app.test_cli_runner().invoke(args=["seed-demo"])

    assert (result.exit_code, result.output) == (1, f"Error: {Reason.NOT_MIGRATED.sentence}\n")
