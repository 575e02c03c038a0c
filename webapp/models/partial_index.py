"""Indexes of the rows that fulfill a condition, the same on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, Index, TextClause


def partial_index(name: str, *columns: str | ColumnElement[Any], where: TextClause, unique: bool = False) -> Index:
    """Return an index of the rows that fulfill the condition."""
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
