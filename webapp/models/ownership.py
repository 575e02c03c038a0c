"""What belongs to a workspace, by the tables' metadata: a new table with a `workspace_id` is deleted with it."""

from collections.abc import Collection

from sqlalchemy import Table, delete

from webapp.extensions import Base, db
from webapp.models.row_changes import delete_page

# Its rows outlive the workspace; the database lets only those of a public demo's visitor be deleted.
AUDIT_TRAIL = "audit_events"


def delete_owned_rows(workspace_id: int, kept: Collection[str]) -> None:
    """Delete the rows of a workspace, those that refer to others first, in the caller's transaction.

    kept: the names of the tables that are left as they are.
    """
    for table in _list_tables(kept):
        db.session.execute(delete(table).where(table.c.workspace_id == workspace_id))


def delete_page_of_owned_rows(workspace_id: int, kept: Collection[str]) -> bool:
    """Delete some of these rows, in the same order. Returns whether there were any."""
    return any(delete_page(table, table.c.workspace_id == workspace_id) for table in _list_tables(kept))


def _list_tables(kept: Collection[str]) -> list[Table]:
    tables = reversed(Base.metadata.sorted_tables)
    return [table for table in tables if "workspace_id" in table.columns and table.name not in kept]
