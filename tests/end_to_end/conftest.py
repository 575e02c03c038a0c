"""A whole installation, and the email address and password of an admin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from benchmarks.installation.installation import EMAIL, PASSWORD
from benchmarks.installation.processes import Stack
from tests.factories import NOW, SeededIds, get_workspace
from tests.forked_processes import run_processes
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import Role
from webapp.workspaces.membership_changes import set_role


@pytest.fixture
def stack(environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    with run_processes(environment, tmp_path / "logs") as stack:
        yield stack


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> tuple[str, str]:
    """Email address and password of an admin of Harbor Logistics."""
    with app.app_context():
        account = add_account(EMAIL, "Owner", PASSWORD, NOW)
        set_role(get_workspace(seeded), account, Role.ADMIN)
        db.session.commit()
        db.engine.dispose()
    return EMAIL, PASSWORD
