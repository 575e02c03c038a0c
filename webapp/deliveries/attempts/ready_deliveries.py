"""Looks up which deliveries of a job are ready to be sent, with their workspace and destination."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from webapp.deliveries.states import IS_UNCLAIMED
from webapp.extensions import db
from webapp.models import AlertDelivery


@dataclass(frozen=True)
class ReadyDelivery:
    """An unclaimed delivery, with the ids that concurrency limits apply to."""

    delivery_id: int
    destination_id: int
    workspace_id: int


_UNCLAIMED = select(AlertDelivery.id, AlertDelivery.alert_destination_id, AlertDelivery.workspace_id).where(
    AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)), IS_UNCLAIMED
)


def list_ready_deliveries(delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    """Return the deliveries that are still unclaimed, in the given order. The claim checks again and decides."""
    rows = db.session.execute(_UNCLAIMED, {"delivery_ids": delivery_ids}).all()
    db.session.commit()  # after a rollback, the driver of PostgreSQL would prepare each statement anew
    found = {row.id: ReadyDelivery(*row) for row in rows}
    return [found[delivery_id] for delivery_id in delivery_ids if delivery_id in found]
