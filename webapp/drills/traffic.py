"""Reads whether real traffic makes a drill superfluous: tests of people, and real alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select

from webapp.deliveries.newest_deliveries import newest_id_subquery
from webapp.deliveries.present_settings import is_of_present_settings
from webapp.deliveries.queries import is_delivery_of
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, Receipt
from webapp.models.database_clock import CLOCK_TOLERANCE
from webapp.models.id_list import IsOneOf

# The newest message other than a scheduled drill. A *Drill now* counts, since a person asked for it.
_NEWEST_TRAFFIC = newest_id_subquery(
    is_delivery_of(AlertDestination),
    or_(AlertDelivery.drill.is_(None), AlertDelivery.requested_by_id.is_not(None)),
    AlertDelivery.status.in_((DeliveryStatus.SENT, DeliveryStatus.FAILED)),
    AlertDelivery.created_at <= bindparam("until"),
)

_ACCEPTED = (
    select(AlertDestination.id, AlertDelivery.created_at)
    .join(AlertDelivery, AlertDelivery.id == _NEWEST_TRAFFIC)
    .where(
        IsOneOf(AlertDestination.id, "destination_ids"),
        AlertDelivery.status == DeliveryStatus.SENT,
        AlertDelivery.receipt.is_distinct_from(Receipt.MISSING),
        is_of_present_settings(),
    )
)


def list_accepted_traffic(destination_ids: Sequence[int], now: datetime) -> Mapping[int, datetime]:
    """Return when the newest message of each destination was requested, if it shows that the destination works.

    It was accepted, was sent with the present settings, and nobody reported it missing.
    """
    parameters = {"destination_ids": destination_ids, "until": now + CLOCK_TOLERANCE}
    return dict(db.session.execute(_ACCEPTED, parameters).all())
