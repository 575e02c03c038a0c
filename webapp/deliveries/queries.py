"""Look deliveries up."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination


def list_test_sends(destination: AlertDestination, limit: int = 20) -> Sequence[AlertDelivery]:
    """Fetch a destination's newest test sends, the newest first, with who pressed."""
    return db.session.scalars(
        select(AlertDelivery)
        .where(
            AlertDelivery.workspace_id == destination.workspace_id,
            AlertDelivery.alert_destination_id == destination.id,
            AlertDelivery.event_type == TEST_EVENT,
        )
        .options(joinedload(AlertDelivery.requested_by))
        .order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc())
        .limit(limit)
    ).all()
