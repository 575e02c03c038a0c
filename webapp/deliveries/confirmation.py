"""Whether somebody has confirmed the newest drill of a destination that needs it. Silence is not a failure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case
from sqlalchemy.orm import aliased

from webapp.deliveries.arrival import may_have_arrived
from webapp.deliveries.queries import newest_drill_id_subquery
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, Receipt, ReceiptSource

# So long after a drill was requested, somebody should have confirmed it.
CONFIRM_WITHIN = timedelta(days=7)


class Confirmation(NamedTuple):
    """The newest drill of a destination that needs confirmation, and what people have said about it.

    status, code: of the drill. by: the name of who gave the receipt, if known.
    """

    drill_id: int
    requested_at: datetime
    status: DeliveryStatus
    code: str | None
    receipt: Receipt | None
    receipt_at: datetime | None
    source: ReceiptSource | None
    by: str | None

    @property
    def is_awaited(self) -> bool:
        """Whether the message arrived or may have arrived, and nobody has said anything about it yet."""
        return self.receipt is None and may_have_arrived(self.status, self.code)


def is_overdue(confirmation: Confirmation | None, now: datetime) -> bool:
    """Check whether nobody confirmed a drill within `CONFIRM_WITHIN`. A later confirmation counts: it ends that."""
    if confirmation is None or not confirmation.is_awaited:
        return False
    return now - confirmation.requested_at >= CONFIRM_WITHIN


# For an outer query to join: the newest drill, of destinations that need confirmation only.
DRILL = aliased(AlertDelivery, name="drill_to_confirm")
DRILL_ID = case((AlertDestination.needs_confirmation, newest_drill_id_subquery()))

# In the order of `Confirmation`.
CONFIRMATION_COLUMNS = (
    DRILL.id,
    DRILL.created_at,
    DRILL.status,
    DRILL.last_error_code,
    DRILL.receipt,
    DRILL.receipt_at,
    DRILL.receipt_source,
    DRILL.receipt_by,
)
