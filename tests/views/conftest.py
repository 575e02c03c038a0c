"""Fixtures for the views."""

import pytest
from flask import Flask

from tests.factories import SeededIds, add_owner


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An admin of the harbor workspace who signs in by password."""
    with app.app_context():
        return add_owner(seeded)
