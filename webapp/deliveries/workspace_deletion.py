"""Deletes the deliveries of a workspace: at once those that wait, and in small steps all others."""

from sqlalchemy import delete, or_, select

from webapp.deliveries.states import IS_UNCLAIMED
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING

# Rows per step, so that no deletion locks the database for long.
PAGE_SIZE = 500


def discard_waiting(workspace_id: int) -> None:
    """Delete every delivery of a workspace that no worker has claimed, in the caller's transaction.

    A claim either commits first, or no longer finds its row.
    """
    is_waiting = or_(IS_UNCLAIMED, AlertDelivery.status == DeliveryStatus.DEFERRED)
    waiting = (AlertDelivery.workspace_id == workspace_id) & IS_WAITING & is_waiting
    # In the order in which recovery and Test all update them, so that neither waits for the other forever.
    locked = select(AlertDelivery.id).where(waiting).order_by(AlertDelivery.id).with_for_update()
    db.session.execute(locked).all()
    db.session.execute(delete(AlertDelivery).where(waiting).execution_options(synchronize_session=False))


def delete_page_of(workspace_id: int) -> bool:
    """Delete one page of a workspace's deliveries, in the caller's transaction. Returns whether there were any.

    A row that somebody else changes at this moment is left to the next page.
    """
    of_workspace = select(AlertDelivery.id).where(AlertDelivery.workspace_id == workspace_id)
    page = db.session.scalars(of_workspace.limit(PAGE_SIZE).with_for_update(skip_locked=True)).all()
    statement = delete(AlertDelivery).where(AlertDelivery.id.in_(page))
    db.session.execute(statement.execution_options(synchronize_session=False))
    return bool(page) or db.session.scalar(of_workspace.limit(1)) is not None
