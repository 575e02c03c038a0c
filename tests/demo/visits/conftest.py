"""A public demo on a database of its own, on SQLite or PostgreSQL."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.demo.public_demo import make_public_demo
from webapp.app_state import app_state
from webapp.dashboard.poll_interval import PollBudget
from webapp.extensions import db


@pytest.fixture
def app(environment: dict[str, str], tmp_path: Path) -> Iterator[Flask]:
    app = make_public_demo(environment, tmp_path)
    app_state(app).poll_budget = PollBudget(budget=math.inf)
    yield app
    with app.app_context():
        db.engine.dispose()
