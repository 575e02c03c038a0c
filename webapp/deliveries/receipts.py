"""Receipts: whether a person saw a test message arrive. A receipt does not change the badge."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, update

from webapp.audit import CUSTOMER, RECIPIENT, Action, record_destination_event
from webapp.deliveries.arrival import UNCERTAIN_CODES, may_have_arrived
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.deliveries.problem_opening import note_missing
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, DeliveryStatus, Receipt, ReceiptSource
from webapp.receipt_links import LINK_LIFETIME
from webapp.text.names import isolate_name

log = logging.getLogger(__name__)

_ACTIONS = {Receipt.SEEN: Action.TEST_SEEN, Receipt.MISSING: Action.TEST_MISSED}


@dataclass(frozen=True)
class Statement:
    """What a person said about a message. by: their name, if known. recorded_by: who wrote it down for them."""

    receipt: Receipt
    source: ReceiptSource
    by: str | None = None
    recorded_by: str | None = None


def can_be_confirmed(delivery: AnyDelivery | None) -> bool:
    """Return whether a person can confirm the arrival: a test send that was accepted or may have arrived."""
    if delivery is None or delivery.event_type != TEST_EVENT:
        return False
    return may_have_arrived(delivery.status, delivery.last_error_code)


def find_linked(delivery_id: int, reference: str, now: datetime) -> AlertDelivery | None:
    """Find the test send of a receipt link. Returns None if they do not match, or after `LINK_LIFETIME`."""
    delivery = db.session.get(AlertDelivery, delivery_id)
    if delivery is None or delivery.event_type != TEST_EVENT or delivery.reference != reference:
        return None
    return delivery if now - delivery.created_at < LINK_LIFETIME else None


def record_by_link(delivery: AlertDelivery, now: datetime) -> bool:
    """Record that someone with the link has seen the message. Returns False if it was already marked as seen."""
    record_destination_event(delivery.destination, RECIPIENT, Action.TEST_SEEN, now)
    # The link arrived with the message, so it overrides any status and an earlier "did not arrive".
    return _record(delivery, Statement(Receipt.SEEN, ReceiptSource.LINK), now, _IS_NOT_SEEN)


def record_by_member(delivery: AlertDelivery, account: Account, receipt: Receipt, now: datetime) -> bool:
    """Record a member's receipt, replacing an earlier one. Returns False if the delivery cannot be confirmed."""
    record_destination_event(delivery.destination, account, _ACTIONS[receipt], now)
    statement = Statement(receipt, ReceiptSource.MEMBER, by=account.name)
    return _record(delivery, statement, now, _CAN_BE_CONFIRMED)


def record_by_customer_link(delivery: AlertDelivery, link_of: Account, receipt: Receipt, now: datetime) -> bool:
    """Record what the customer says on the page of a link, like a member's receipt. link_of: who made the link."""
    whose = [f"by the link of {isolate_name(link_of.name)}"]
    record_destination_event(delivery.destination, CUSTOMER, _ACTIONS[receipt], now, whose)
    statement = Statement(receipt, ReceiptSource.CUSTOMER_LINK)
    return _record(delivery, statement, now, _CAN_BE_CONFIRMED)


def record_for_customer(delivery: AlertDelivery, account: Account, customer: str, now: datetime) -> bool:
    """Record that a customer has seen the message, as they told a member. Otherwise like `record_by_member`.

    customer: the customer's name, as `read_name` returns it.
    """
    record_destination_event(delivery.destination, account, Action.TEST_CONFIRMED, now)
    statement = Statement(Receipt.SEEN, ReceiptSource.CUSTOMER, by=customer, recorded_by=account.name)
    return _record(delivery, statement, now, _CAN_BE_CONFIRMED)


def _record(delivery: AlertDelivery, statement: Statement, now: datetime, only_if: ColumnElement[bool]) -> bool:
    """Store a receipt. `updated_at` stays unchanged: it is the time of completion, which the badge shows."""
    delivery_id = delivery.id
    is_this = (AlertDelivery.id == delivery_id) & (AlertDelivery.event_type == TEST_EVENT)
    values = {
        "receipt": statement.receipt,
        "receipt_at": now,
        "receipt_source": statement.source,
        "receipt_by": statement.by,
        "receipt_recorded_by": statement.recorded_by,
    }
    change = update(AlertDelivery).where(is_this, only_if).values(values).returning(AlertDelivery.id)
    recorded = db.session.execute(change.execution_options(synchronize_session=False)).one_or_none()
    if recorded is None:
        db.session.rollback()
        return False
    if statement.receipt is Receipt.MISSING:
        note_missing(delivery_id, now)
    db.session.commit()
    facts = {"delivery": delivery_id, "receipt": statement.receipt, "source": statement.source}
    log.info("receipt recorded", extra=facts)
    return True


_IS_NOT_SEEN = or_(AlertDelivery.receipt.is_(None), AlertDelivery.receipt != Receipt.SEEN)
_CAN_BE_CONFIRMED = or_(
    AlertDelivery.status == DeliveryStatus.SENT,
    (AlertDelivery.status == DeliveryStatus.FAILED) & AlertDelivery.last_error_code.in_(UNCERTAIN_CODES),
)
