"""Locks a destination, so that a check on it still holds when the transaction commits."""

from sqlalchemy import exists, inspect, update
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.extensions import db
from webapp.models import AlertDestination, Workspace

_IS_IN_OPEN_WORKSPACE = exists().where(Workspace.id == AlertDestination.workspace_id, Workspace.deleted_at.is_(None))


def lock_destination(destination: AlertDestination) -> None:
    """Lock a destination's row until the end of the transaction, and reload it.

    Raises `ObjectDeletedError` if the row or its workspace is gone, as it is after a reset of the demo.
    """
    # An update that changes nothing is the only row lock that works on both SQLite and PostgreSQL.
    statement = update(AlertDestination).where(AlertDestination.id == destination.id, _IS_IN_OPEN_WORKSPACE)
    locked = db.session.execute(statement.values(id=AlertDestination.id).execution_options(synchronize_session=False))
    if not locked.rowcount:  # type: ignore[attr-defined]
        raise ObjectDeletedError(inspect(destination))
    db.session.refresh(destination)
