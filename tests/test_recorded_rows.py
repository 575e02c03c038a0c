"""Rows that are added to many databases: a file of SQLite is copied only if that loses nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.databases import new_database
from tests.factories import NOW
from tests.recorded_rows import add_once
from webapp.application_core import create_core
from webapp.extensions import db
from webapp.models import Workspace
from webapp.settings import read_settings

Make = Callable[[str], Flask]


@pytest.fixture
def make(environment: dict[str, str], request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Make an application with a file of its own, which nobody has opened."""

    def make(name: str) -> Flask:
        folder = tmp_path / name
        folder.mkdir()
        with new_database("sqlite", request, folder) as url:
            return create_core(read_settings(environment | {"DATABASE_URL": url}))

    return make


def add(slug: str) -> str:
    db.session.add(Workspace(slug=slug, name=slug, created_at=NOW))
    db.session.commit()
    return slug


def list_slugs(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Workspace.slug).order_by(Workspace.id)))


def test_the_rows_are_added_once_and_copied_then(make: Make) -> None:
    results = [add_once(make(name), lambda: add("harbor"), "copied", name[:1]) for name in ("a1", "a2")]
    copy = make("a3")

    assert [*results, add_once(copy, lambda: add("never"), "copied", "a")] == ["harbor"] * 3
    assert list_slugs(copy) == ["harbor"]


@pytest.mark.parametrize("is_open", [True, False])
def test_a_row_that_was_there_stays(make: Make, is_open: bool) -> None:
    add_once(make("first"), lambda: add("harbor"), "stays")
    app = make("second")
    with app.app_context():
        add("own")
        if not is_open:
            db.session.remove()
            db.engine.dispose()

    add_once(app, lambda: add("harbor"), "stays")

    assert list_slugs(app) == ["own", "harbor"]


def test_the_file_is_read_while_no_connection_is_open(make: Make) -> None:
    app = make("first")

    add_once(app, lambda: add("harbor"), "closed")

    with app.app_context():
        assert not Path(f"{db.engine.url.database}-wal").exists()
