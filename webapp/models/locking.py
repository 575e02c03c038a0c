"""Locks a destination, so that a check on it still holds when the transaction commits."""

from sqlalchemy import update

from webapp.extensions import db
from webapp.models import AlertDestination


def lock_destination(destination: AlertDestination) -> None:
    """Lock a destination's row until the end of the transaction, and reload it."""
    # An update that changes nothing is the only row lock that works on both SQLite and PostgreSQL.
    statement = update(AlertDestination).where(AlertDestination.id == destination.id)
    db.session.execute(statement.values(id=AlertDestination.id).execution_options(synchronize_session=False))
    db.session.refresh(destination)
