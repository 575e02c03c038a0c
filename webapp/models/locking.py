"""Hold a destination, so that what is decided about it is still true when it is committed."""

from sqlalchemy import update

from webapp.extensions import db
from webapp.models import AlertDestination


def lock_destination(destination: AlertDestination) -> None:
    """Lock a destination's row until the end of the transaction, and read it again."""
    # An update that changes nothing is the one row lock that SQLite and PostgreSQL share.
    statement = update(AlertDestination).where(AlertDestination.id == destination.id)
    db.session.execute(statement.values(id=AlertDestination.id).execution_options(synchronize_session=False))
    db.session.refresh(destination)
