"""Deletes old notices, and problems that were closed long ago."""

from datetime import datetime, timedelta

from webapp.extensions import db
from webapp.models import DestinationProblem, Notice
from webapp.models.row_changes import PAGE_SIZE, delete_page

# How long closed problems and notices are kept.
KEPT_FOR = timedelta(days=400)


def delete_old_page(now: datetime) -> int:
    """Delete a page of old notices, or of old problems if there are none, and commit. Returns how many it deleted."""
    for table, moment in ((Notice, Notice.created_at), (DestinationProblem, DestinationProblem.closed_at)):
        if deleted := delete_page(table, moment < now - KEPT_FOR, PAGE_SIZE):
            db.session.commit()
            return deleted
    return 0
