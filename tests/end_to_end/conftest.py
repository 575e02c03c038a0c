"""A whole installation, and someone of the cast who can sign in to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from benchmarks.installation.installed import EMAIL, PASSWORD, add_owner
from benchmarks.installation.processes import Stack, run_processes
from tests.factories import SeededIds
from webapp.extensions import db


@pytest.fixture
def stack(environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    with run_processes(environment, tmp_path / "logs") as stack:
        yield stack


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> tuple[str, str]:
    """E-mail address and password of an admin of Harbor Logistics."""
    with app.app_context():
        add_owner(seeded)
        db.engine.dispose()
    return EMAIL, PASSWORD
