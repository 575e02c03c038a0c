"""The migrations, for Alembic and Flask-Migrate. Only the `db` commands import these two."""

from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate

from webapp.environment.installed_program import find_assets
from webapp.extensions import db


def init_migrations(app: Flask) -> None:
    """Let Flask-Migrate find the migrations and the database of an application."""
    Migrate().init_app(app, db, directory=_find_folder())


def get_scripts() -> ScriptDirectory:
    """Return the migrations."""
    return ScriptDirectory(_find_folder())


def _find_folder() -> str:
    return str(find_assets() / "migrations")
