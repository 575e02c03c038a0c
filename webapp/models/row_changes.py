"""Updates or deletes rows with one statement, and counts them."""

from sqlalchemy import Delete, Update

from webapp.extensions import db


def change_rows(statement: Update | Delete) -> int:
    """Execute a statement, and return how many rows it changed. Rows that the session has loaded stay as they are."""
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    changed: int = result.rowcount  # type: ignore[attr-defined]
    return changed
