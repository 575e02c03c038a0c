"""What belongs to a workspace, by the tables' metadata: a new table with a `workspace_id` is deleted with it."""

from collections.abc import Collection

from sqlalchemy import delete

from webapp.extensions import Base, db

# Its rows outlive the workspace; the database lets only those of a public demo's visitor be deleted.
AUDIT_TRAIL = "audit_events"


def delete_owned_rows(workspace_id: int, kept: Collection[str]) -> None:
    """Delete the rows of a workspace, those that refer to others first, in the caller's transaction.

    kept: the names of the tables that are left as they are.
    """
    for table in reversed(Base.metadata.sorted_tables):
        if "workspace_id" in table.columns and table.name not in kept:
            db.session.execute(delete(table).where(table.c.workspace_id == workspace_id))
