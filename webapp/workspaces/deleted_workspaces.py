"""Deletes what is left of deleted workspaces, in small steps. The worker runs this once a second."""

import logging
from time import monotonic

from sqlalchemy import delete, select

from webapp.deliveries.workspace_deletion import delete_page_of
from webapp.extensions import db
from webapp.models import Workspace
from webapp.models.ownership import AUDIT_TRAIL, delete_page_of_owned_rows
from webapp.models.row_changes import change_rows

log = logging.getLogger(__name__)

# Seconds after which a pass leaves the rest to the next one. Between two steps, others write.
PASS_TIME = 0.025


def delete_remains() -> None:
    """Delete the next deliveries of the workspace that was deleted first, and after the last one, the workspace.

    Commits each step. Safe to repeat after a crash, and by several workers at once.
    """
    workspace_id = db.session.scalar(_FIRST_DELETED)
    give_up_at = monotonic() + PASS_TIME
    while workspace_id is not None and monotonic() < give_up_at:
        if delete_page_of(workspace_id) or delete_page_of_owned_rows(workspace_id, kept={AUDIT_TRAIL}):
            db.session.commit()
            continue
        change_rows(delete(Workspace).where(Workspace.id == workspace_id))
        db.session.commit()
        log.info("deleted workspace removed", extra={"workspace": workspace_id})
        workspace_id = db.session.scalar(_FIRST_DELETED)
    db.session.rollback()


# Built once, because a worker executes it every second.
_FIRST_DELETED = (
    select(Workspace.id).where(Workspace.deleted_at.is_not(None)).order_by(Workspace.deleted_at, Workspace.id).limit(1)
)
