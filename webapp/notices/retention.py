"""Deletes old notices, and problems that were closed long ago."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import DestinationProblem, Notice, NoticeItem
from webapp.models.row_changes import PAGE_SIZE, delete_page

# How long closed problems and notices are kept.
KEPT_FOR = timedelta(days=400)


def delete_old_page(now: datetime) -> int:
    """Delete a page of old rows, and commit. Returns how many it deleted.

    A notice is deleted after its items, as it may have thousands, and a problem after the notices.
    """
    is_old = Notice.created_at < now - KEPT_FOR
    of_old_notices = NoticeItem.notice_id.in_(select(Notice.id).where(is_old))
    of_old_problems = DestinationProblem.closed_at < now - KEPT_FOR
    for table, condition in ((NoticeItem, of_old_notices), (Notice, is_old), (DestinationProblem, of_old_problems)):
        if deleted := delete_page(table, condition, PAGE_SIZE):
            db.session.commit()
            return deleted
    return 0
