"""Locks a row, so that a check on it still holds when the transaction commits."""

from sqlalchemy import ColumnElement, exists, inspect, update
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.extensions import db
from webapp.models import AlertDestination, Workspace

_IS_IN_OPEN_WORKSPACE = exists().where(Workspace.id == AlertDestination.workspace_id, Workspace.deleted_at.is_(None))


def lock_destination(destination: AlertDestination) -> None:
    """Lock a destination's row until the end of the transaction, and reload it.

    Raises `ObjectDeletedError` if the row or its workspace is gone, as it is after a reset of the demo.
    """
    _lock(destination, _IS_IN_OPEN_WORKSPACE)
    db.session.refresh(destination)


def lock_workspace(workspace: Workspace) -> None:
    """Lock a workspace's row until the end of the transaction. Whoever changes its members holds this lock.

    Presses and reads do not wait for it. Whoever locks several workspaces does it in the order of their ids.
    Raises `ObjectDeletedError` if the workspace is gone.
    """
    _lock(workspace, Workspace.deleted_at.is_(None))


def _lock(row: AlertDestination | Workspace, condition: ColumnElement[bool]) -> None:
    # An update that changes nothing is the only row lock that works on both SQLite and PostgreSQL.
    table = type(row)
    statement = update(table).where(table.id == row.id, condition).values(id=table.id)
    locked = db.session.execute(statement.execution_options(synchronize_session=False))
    if not locked.rowcount:  # type: ignore[attr-defined]
        raise ObjectDeletedError(inspect(row))
