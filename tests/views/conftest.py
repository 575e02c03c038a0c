"""Fixtures for the views."""

import pytest
from flask import Flask

from tests.factories import SeededIds, add_owner
from tests.recorded_rows import add_once


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An admin of the harbor workspace who signs in by password."""
    return add_once(app, lambda: add_owner(seeded), "owner")
