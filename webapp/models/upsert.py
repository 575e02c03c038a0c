"""Builds an insert that updates the row if it exists, for SQLite and PostgreSQL."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from webapp.extensions import Base, db


def insert_or_update(table: type[Base] | Table) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that has `on_conflict_do_update`."""
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    insert: postgresql.Insert | sqlite.Insert = dialect.insert(table)
    return insert
