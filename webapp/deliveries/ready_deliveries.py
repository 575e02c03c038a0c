"""Deliveries that a job has named, as errands: whose they are decides whose turn it is."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from webapp.deliveries.transitions import IS_UNCLAIMED
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.worker.dispatcher import ReadyDelivery

_UNCLAIMED = select(AlertDelivery.id, AlertDelivery.alert_destination_id, AlertDelivery.workspace_id).where(
    AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)), IS_UNCLAIMED
)


def list_ready_deliveries(delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    """Look up those that still wait to be claimed, in the order given. The claim looks again, and decides."""
    rows = db.session.execute(_UNCLAIMED, {"delivery_ids": delivery_ids}).all()
    db.session.rollback()
    return [ReadyDelivery(*row) for row in sorted(rows, key=lambda row: delivery_ids.index(row.id))]
