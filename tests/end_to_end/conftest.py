"""A whole installation, and someone of the cast who can sign in to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.cast import NOW, Cast
from tests.stack import Stack, run_stack
from webapp.accounts import add_account, set_role
from webapp.extensions import db
from webapp.models import Role, Workspace

EMAIL, PASSWORD = "owner@example.com", "correct horse battery staple"


@pytest.fixture
def stack(environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    with run_stack(environment, tmp_path / "logs") as stack:
        yield stack


@pytest.fixture
def owner(app: Flask, cast: Cast) -> tuple[str, str]:
    """E-mail address and password of an admin of Harbor Logistics."""
    with app.app_context():
        account = add_account(EMAIL, "Owner", PASSWORD, NOW)
        set_role(db.session.get_one(Workspace, cast.harbor), account, Role.ADMIN)
        db.session.commit()
        db.engine.dispose()
    return EMAIL, PASSWORD
