"""Updates or deletes rows with one statement, and counts them."""

from sqlalchemy import ColumnElement, Delete, Table, Update, delete, select, tuple_

from webapp.extensions import Base, db

# Rows of a page, so that no deletion takes long or holds locks for long.
PAGE_SIZE = 200


def change_rows(statement: Update | Delete) -> int:
    """Execute a statement, and return how many rows it changed. Rows that the session has loaded stay as they are."""
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    changed: int = result.rowcount  # type: ignore[attr-defined]
    return changed


def delete_page(table: type[Base] | Table, condition: ColumnElement[bool], size: int = PAGE_SIZE) -> int:
    """Delete some of the rows that meet a condition, in the caller's transaction. Returns how many.

    Locks nothing if there are none: on SQLite, a deletion locks the database even if it deletes nothing.
    """
    rows = table if isinstance(table, Table) else Base.metadata.tables[table.__tablename__]
    key = tuple_(*rows.primary_key.columns)
    page = db.session.execute(select(*rows.primary_key.columns).where(condition).limit(size)).all()
    if not page:
        return 0
    return change_rows(delete(rows).where(key.in_([tuple(row) for row in page]), condition))
