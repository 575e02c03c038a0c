"""Receipts: whether a person saw a test message arrive. A receipt does not change the badge."""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, or_, update

from webapp.audit import CUSTOMER, Action, record_destination_event
from webapp.extensions import db
from webapp.failures import EXPLANATIONS, Code
from webapp.models import TEST_EVENT, Account, AlertDelivery, DeliveryStatus, Receipt
from webapp.receipt_links import LINK_LIFETIME
from webapp.text.names import isolate_name

log = logging.getLogger(__name__)

_UNCERTAIN = [code.value for code in Code if EXPLANATIONS[code].may_have_arrived]
_ACTIONS = {Receipt.SEEN: Action.TEST_SEEN, Receipt.MISSING: Action.TEST_MISSED}


def can_be_confirmed(delivery: AlertDelivery | None) -> bool:
    """Return whether a person can confirm the arrival: a test send that was accepted or may have arrived."""
    if delivery is None or delivery.event_type != TEST_EVENT:
        return False
    is_uncertain = delivery.status is DeliveryStatus.FAILED and delivery.last_error_code in _UNCERTAIN
    return delivery.status is DeliveryStatus.SENT or is_uncertain


def find_linked(delivery_id: int, reference: str, now: datetime) -> AlertDelivery | None:
    """Find the test send of a receipt link. Returns None if they do not match, or after `LINK_LIFETIME`."""
    delivery = db.session.get(AlertDelivery, delivery_id)
    if delivery is None or delivery.event_type != TEST_EVENT or delivery.reference != reference:
        return None
    return delivery if now - delivery.created_at < LINK_LIFETIME else None


def record_by_link(delivery: AlertDelivery, now: datetime) -> bool:
    """Record that someone with the link has seen the message. Returns False if it was already marked as seen."""
    # The link arrived with the message, so it overrides any status and an earlier "did not arrive".
    return _record(delivery, Receipt.SEEN, None, now, _IS_NOT_SEEN)


def record_by_member(delivery: AlertDelivery, account: Account, receipt: Receipt, now: datetime) -> bool:
    """Record a member's receipt, replacing an earlier one. Returns False if the delivery cannot be confirmed."""
    record_destination_event(delivery.destination, account, _ACTIONS[receipt], now)
    return _record(delivery, receipt, account.name, now, _CAN_BE_CONFIRMED)


def record_by_customer(delivery: AlertDelivery, link_of: Account, receipt: Receipt, now: datetime) -> bool:
    """Record what the customer says on the page of a link, like a member's receipt. link_of: who made the link."""
    whose = [f"by the link of {isolate_name(link_of.name)}"]
    record_destination_event(delivery.destination, CUSTOMER, _ACTIONS[receipt], now, whose)
    return _record(delivery, receipt, CUSTOMER.name, now, _CAN_BE_CONFIRMED)


def _record(
    delivery: AlertDelivery, receipt: Receipt, name: str | None, now: datetime, only_if: ColumnElement[bool]
) -> bool:
    """Store a receipt. `updated_at` stays unchanged: it is the time of completion, which the badge shows."""
    delivery_id = delivery.id
    statement = update(AlertDelivery).where(
        AlertDelivery.id == delivery_id, AlertDelivery.event_type == TEST_EVENT, only_if
    )
    statement = statement.values(receipt=receipt, receipt_at=now, receipt_by=name).returning(AlertDelivery.id)
    recorded = db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none()
    if recorded is None:
        db.session.rollback()
        return False
    db.session.commit()
    log.info("receipt recorded", extra={"delivery": delivery_id, "receipt": receipt, "by_link": name is None})
    return True


_IS_NOT_SEEN = or_(AlertDelivery.receipt.is_(None), AlertDelivery.receipt != Receipt.SEEN)
_CAN_BE_CONFIRMED = or_(
    AlertDelivery.status == DeliveryStatus.SENT,
    (AlertDelivery.status == DeliveryStatus.FAILED) & AlertDelivery.last_error_code.in_(_UNCERTAIN),
)
