"""Deletes old notices, and problems that were closed long ago."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from webapp.extensions import db
from webapp.models import DestinationProblem, Notice

# Rows per deletion, so that none holds locks for long. The next round continues.
PAGE_SIZE = 200

# How long closed problems and notices are kept.
KEPT_FOR = timedelta(days=400)


def delete_old_page(now: datetime) -> int:
    """Delete a page of old notices, or of old problems if there are none, and commit. Returns how many it deleted."""
    for table, moment in ((Notice, Notice.created_at), (DestinationProblem, DestinationProblem.closed_at)):
        page = select(table.id).where(moment < now - KEPT_FOR).order_by(moment).limit(PAGE_SIZE)
        ids = db.session.scalars(page).all()
        if ids:
            deletion = delete(table).where(table.id.in_(ids))
            db.session.execute(deletion.execution_options(synchronize_session=False))
            db.session.commit()
            return len(ids)
    return 0
