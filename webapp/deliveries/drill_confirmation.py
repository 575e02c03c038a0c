"""Whether somebody has confirmed the drills of a destination that needs confirmation. Silence is not a failure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, exists, select
from sqlalchemy.orm import aliased

from webapp.deliveries.arrival import may_have_arrived
from webapp.deliveries.newest_deliveries import newest_drill_id_subquery, newest_drill_subquery
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus, Receipt, ReceiptSource
from webapp.models.inline_value import inline
from webapp.models.json_array import JsonArray
from webapp.models.types import UtcDateTime, read_stored_name, read_stored_time

# So long after a drill was requested, somebody should have confirmed it.
CONFIRM_WITHIN = timedelta(days=7)


class Confirmation(NamedTuple):
    """The newest drill of a destination that needs confirmation, and what people have said about it.

    status, code: of the drill. by: the name of who gave the receipt, if known.
    unconfirmed_at: when the drill was requested, the newest or an earlier one, that makes the destination unconfirmed;
        None if it is not.
    """

    drill_id: int
    requested_at: datetime
    status: DeliveryStatus
    code: str | None
    receipt: Receipt | None
    receipt_at: datetime | None
    source: ReceiptSource | None
    by: str | None
    unconfirmed_at: datetime | None

    @property
    def is_awaited(self) -> bool:
        """Whether the message arrived or may have arrived, and nobody has said anything about it yet."""
        return self.receipt is None and may_have_arrived(self.status, self.code)


def is_unconfirmed(confirmation: Confirmation | None) -> bool:
    """Check whether nobody confirmed a drill within `CONFIRM_WITHIN`. A later confirmation ends that."""
    return confirmation is not None and confirmation.unconfirmed_at is not None


def confirmation_times(now: datetime) -> dict[str, datetime]:
    """Return the parameters of every query with `UNCONFIRMED_DRILL_ID` or `PAST_UNCONFIRMED_DRILL_ID`, as of a time."""
    return {"confirmation_due": now - CONFIRM_WITHIN, "confirmation_until": now}


_DUE, _UNTIL = (bindparam(name, type_=UtcDateTime) for name in ("confirmation_due", "confirmation_until"))
_OVERDUE, _LATER = aliased(AlertDelivery, name="overdue_drill"), aliased(AlertDelivery, name="later_test")


def _find_overdue(column: Any, *, in_the_past: bool = False) -> ColumnElement[Any]:
    """Return the subquery for a column of the drill that makes a destination unconfirmed; null if none does.

    That drill is the newest accepted one that is at least `CONFIRM_WITHIN` old, however many followed: weekly drills
    would otherwise replace one another just in time, for ever. Nobody has said anything about it, nor seen a later
    message. It was sent with the present settings.
    in_the_past: as of an earlier time. Then a drill with any settings counts, because nobody knows which were present
        then, and no later message does.
    """
    is_old = (AlertDelivery.status == inline(DeliveryStatus.SENT)) & (AlertDelivery.created_at <= _DUE)
    was_seen = exists().where(
        _LATER.workspace_id == _OVERDUE.workspace_id,
        _LATER.alert_destination_id == _OVERDUE.alert_destination_id,
        _LATER.event_type == inline(TEST_EVENT),
        _LATER.created_at >= _OVERDUE.created_at,
        _LATER.receipt == inline(Receipt.SEEN),
        *([_LATER.created_at < _UNTIL] if in_the_past else []),
    )
    drill = select(column).where(_OVERDUE.id == newest_drill_id_subquery(is_old), _OVERDUE.receipt.is_(None), ~was_seen)
    if not in_the_past:
        drill = drill.where(_OVERDUE.settings_version == AlertDestination.settings_version)
    return case((AlertDestination.needs_confirmation, drill.correlate(AlertDestination).scalar_subquery()))


# For an outer query of destinations. Each needs the parameters of `confirmation_times`.
UNCONFIRMED_DRILL_ID = _find_overdue(_OVERDUE.id)
PAST_UNCONFIRMED_DRILL_ID = _find_overdue(_OVERDUE.id, in_the_past=True)

_DRILL = JsonArray(
    AlertDelivery.id,
    AlertDelivery.created_at,
    AlertDelivery.status,
    AlertDelivery.last_error_code,
    AlertDelivery.receipt,
    AlertDelivery.receipt_at,
    AlertDelivery.receipt_source,
    AlertDelivery.receipt_by,
    _find_overdue(_OVERDUE.created_at),
)

# For an outer query of destinations: the newest drill of those that need confirmation. In the order of `Confirmation`.
CONFIRMATION = case((AlertDestination.needs_confirmation, newest_drill_subquery(_DRILL)))


def read_confirmation(facts: Sequence[Any] | None) -> Confirmation | None:
    """Return the confirmation in the array of `CONFIRMATION`."""
    if facts is None:
        return None
    drill_id, created_at, status, code, receipt, receipt_at, source, by, unconfirmed_at = facts
    requested_at = read_stored_time(created_at)
    assert requested_at
    return Confirmation(
        drill_id,
        requested_at,
        DeliveryStatus(status),
        code,
        Receipt(receipt) if receipt else None,
        read_stored_time(receipt_at),
        ReceiptSource(source) if source else None,
        read_stored_name(by),
        read_stored_time(unconfirmed_at),
    )
