"""Migrates the database of the current application, as the commands `db upgrade` and `db downgrade` do."""

from typing import Any, cast

import flask_migrate
from flask import Flask, current_app

from webapp.database.migrations import init_migrations


def upgrade(**options: Any) -> None:
    """Upgrade the schema. options: those of Flask-Migrate."""
    init_migrations(_current_app())
    flask_migrate.upgrade(**options)


def downgrade(**options: Any) -> None:
    """Downgrade the schema. options: those of Flask-Migrate."""
    init_migrations(_current_app())
    flask_migrate.downgrade(**options)


def _current_app() -> Flask:
    return cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
