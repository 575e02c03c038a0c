"""Deletes what is left of visits that have ended. The worker runs this once a second."""

import logging
from datetime import datetime

from sqlalchemy import delete, select

from webapp.demo.visits.capacity import GRACE_PERIOD
from webapp.demo.visits.visits import open_inbox
from webapp.extensions import db
from webapp.models import Account, DemoVisit, Workspace
from webapp.models.ownership import delete_owned_rows
from webapp.models.row_changes import change_rows

log = logging.getLogger(__name__)


def delete_ended_visit(now: datetime) -> None:
    """Delete the visit that ended first, if its grace period is over, and commit. Safe to repeat after a crash."""
    over = select(DemoVisit).where(DemoVisit.ends_at <= now - GRACE_PERIOD).order_by(DemoVisit.ends_at).limit(1)
    visit = db.session.scalars(over).one_or_none()
    if visit is None:
        return
    workspace_id, account_id = visit.workspace_id, visit.account_id
    open_inbox(visit).delete()  # first: without its row, nobody would know the file
    db.session.expunge(visit)
    _delete_rows(workspace_id, account_id)
    db.session.commit()
    log.info("demo visit deleted", extra={"workspace": workspace_id})


def _delete_rows(workspace_id: int, account_id: int) -> None:
    """Delete every row of the workspace, audit events included. The visit is last: see `DemoVisit`."""
    delete_owned_rows(workspace_id, kept={DemoVisit.__tablename__})
    change_rows(delete(Workspace).where(Workspace.id == workspace_id))
    change_rows(delete(Account).where(Account.id == account_id))
