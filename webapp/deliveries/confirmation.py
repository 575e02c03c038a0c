"""Whether somebody has confirmed the newest drill of a destination that needs it. Silence is not a failure."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case, exists, select
from sqlalchemy.orm import aliased

from webapp.deliveries.arrival import may_have_arrived
from webapp.deliveries.queries import newest_drill_id_subquery
from webapp.models import (
    TEST_EVENT,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DestinationProblem,
    ProblemKind,
    Receipt,
    ReceiptSource,
)

# So long after a drill was requested, somebody should have confirmed it.
CONFIRM_WITHIN = timedelta(days=7)


class Confirmation(NamedTuple):
    """The newest drill of a destination that needs confirmation, and what people have said about it.

    status, code: of the drill. by: the name of who gave the receipt, if known. was_later_seen: whether somebody saw a
    later test with the present settings, which proves more than this drill. unconfirmed_at: when an earlier drill was
    requested that nobody confirmed in time, and no later message; None without an open problem about that.
    """

    drill_id: int
    requested_at: datetime
    status: DeliveryStatus
    code: str | None
    receipt: Receipt | None
    receipt_at: datetime | None
    source: ReceiptSource | None
    by: str | None
    was_later_seen: bool = False
    unconfirmed_at: datetime | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether the message may have arrived, and nobody has said anything about it or seen a later one."""
        return self.receipt is None and not self.was_later_seen and may_have_arrived(self.status, self.code)


def is_overdue(confirmation: Confirmation | None, now: datetime) -> bool:
    """Check whether nobody confirmed a drill within `CONFIRM_WITHIN`. A later confirmation counts: it ends that.

    Weekly drills replace each other before they are that old, so an open problem of an earlier one counts.
    """
    if confirmation is None or confirmation.receipt is not None or confirmation.was_later_seen:
        return False
    if confirmation.unconfirmed_at is not None:
        return True
    if not confirmation.is_awaited:
        return False
    return now - confirmation.requested_at >= CONFIRM_WITHIN


# For an outer query to join: the newest drill, of destinations that need confirmation only.
DRILL = aliased(AlertDelivery, name="drill_to_confirm")
DRILL_ID = case((AlertDestination.needs_confirmation, newest_drill_id_subquery()))

_LATER = aliased(AlertDelivery, name="later_test")
_WAS_LATER_SEEN = case(
    (
        AlertDestination.needs_confirmation,
        exists()
        .where(
            _LATER.workspace_id == AlertDestination.workspace_id,
            _LATER.alert_destination_id == AlertDestination.id,
            _LATER.event_type == TEST_EVENT,
            _LATER.created_at > DRILL.created_at,
            _LATER.receipt == Receipt.SEEN,
            _LATER.settings_version == AlertDestination.settings_version,
        )
        .correlate(AlertDestination, DRILL),
    ),
    else_=False,
)

_UNCONFIRMED_AT = (
    select(DestinationProblem.message_at)
    .where(
        DestinationProblem.alert_destination_id == AlertDestination.id,
        DestinationProblem.kind == ProblemKind.UNCONFIRMED,
        DestinationProblem.closed_at.is_(None),
    )
    .correlate(AlertDestination)
    .scalar_subquery()
)

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
    _WAS_LATER_SEEN,
    _UNCONFIRMED_AT,
)
