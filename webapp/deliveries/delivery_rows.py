"""Deliveries as plain rows, for pages that only read them: loading them as objects takes several times as long."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, case, cast, select
from sqlalchemy.orm import aliased

from webapp.models import TEST_EVENT, Account, AlertDelivery, DeliveryStatus, DrillNumber, Receipt, ReceiptSource
from webapp.models.inline_value import inline
from webapp.models.reference import ReferenceIn


class DeliveryRow(NamedTuple):
    """What pages read of a delivery, under the names of `AlertDelivery`.

    reference, requester: of a test send; the latter is the name of whoever requested it.
    attempts_text, exchange_text, suggestion_text: these columns as they are stored, since few readers need their
    contents.
    """

    id: int
    event_type: str
    alert_rule_id: int | None
    status: DeliveryStatus
    send_after: datetime | None
    sent_at: datetime | None
    attempt_count: int
    attempt_started_at: datetime | None
    last_error_code: str | None
    last_error_message: str | None
    answer_status: int | None
    answer_seconds: float | None
    settings_version: int | None
    receipt: Receipt | None
    receipt_at: datetime | None
    receipt_source: ReceiptSource | None
    receipt_by: str | None
    receipt_recorded_by: str | None
    by_customer_link: bool
    drill: DrillNumber | None
    created_at: datetime
    updated_at: datetime
    reference: str | None
    requester: str | None
    attempts_text: str | None
    exchange_text: str | None
    suggestion_text: str | None

    @property
    def attempts(self) -> list[dict[str, Any]] | None:
        """Return the completed attempts; see `AlertDelivery`."""
        return None if self.attempts_text is None else json.loads(self.attempts_text)

    @property
    def exchange(self) -> dict[str, Any] | None:
        """Return the facts of the last attempt's exchange; see `AlertDelivery`."""
        return None if self.exchange_text is None else json.loads(self.exchange_text)

    @property
    def suggestion(self) -> dict[str, Any] | None:
        """Return what the service suggests for a setting; see `AlertDelivery`."""
        return None if self.suggestion_text is None else json.loads(self.suggestion_text)


class WaitingRow(NamedTuple):
    """What recovery reads of a delivery that waits, under the names of `AlertDelivery`."""

    id: int
    event_type: str
    status: DeliveryStatus
    send_after: datetime | None
    attempt_count: int
    attempt_started_at: datetime | None
    attempts: list[dict[str, Any]] | None
    created_at: datetime
    updated_at: datetime


# A delivery as an object, or as a row that was read.
AnyDelivery = AlertDelivery | DeliveryRow
AnyWaiting = AnyDelivery | WaitingRow

_requester = aliased(Account, name="requester")

# No joins: a statement that has many takes long to plan.
_COMPUTED: dict[str, ColumnElement[Any]] = {
    # Of test sends only: in a real alert's payload, another program may have written what the database cannot read.
    "reference": case((AlertDelivery.event_type == inline(TEST_EVENT), ReferenceIn(AlertDelivery.payload))),
    "requester": select(_requester.name)
    .where(_requester.id == AlertDelivery.requested_by_id)
    .correlate(AlertDelivery)
    .scalar_subquery(),
    "attempts_text": cast(AlertDelivery.attempts, Text),
    "exchange_text": cast(AlertDelivery.exchange, Text),
    "suggestion_text": cast(AlertDelivery.suggestion, Text),
}

# In the order of `DeliveryRow`.
DELIVERY_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    _COMPUTED[name] if name in _COMPUTED else getattr(AlertDelivery, name) for name in DeliveryRow._fields
)

# In the order of `WaitingRow`.
WAITING_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(getattr(AlertDelivery, name) for name in WaitingRow._fields)


def read_delivery(columns: Any) -> DeliveryRow | None:
    """Return the delivery in the `DELIVERY_COLUMNS` at the beginning of a row; None if an outer join found none."""
    return None if columns[0] is None else DeliveryRow._make(columns[: len(DELIVERY_COLUMNS)])
