"""Builds an insert that updates the row if it exists, for SQLite and PostgreSQL."""

from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Table

from webapp.extensions import Base, db

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Upsert: TypeAlias = "postgresql.Insert | sqlite.Insert"


def insert_or_update(table: type[Base] | Table) -> Upsert:
    """Return an insert that has `on_conflict_do_update`."""
    # By name, because SQLAlchemy loads all clients of PostgreSQL that it knows with the dialect.
    insert: Upsert = import_module(f"sqlalchemy.dialects.{db.engine.dialect.name}").insert(table)
    return insert
