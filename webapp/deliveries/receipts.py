"""What a person says of a test message: whether it is there to be seen. It moves no badge."""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, or_, update

from webapp.audit import Action, record_about
from webapp.extensions import db
from webapp.failures import EXPLANATIONS, Code
from webapp.models import TEST_EVENT, Account, AlertDelivery, DeliveryStatus, Receipt
from webapp.receipt_links import LINK_LIFETIME

log = logging.getLogger(__name__)

_UNCERTAIN = [code.value for code in Code if EXPLANATIONS[code].may_have_arrived]
_ACTIONS = {Receipt.SEEN: Action.TEST_SEEN, Receipt.MISSING: Action.TEST_MISSED}


def is_in_question(delivery: AlertDelivery | None) -> bool:
    """Say whether a person at the far end can tell more of a test send than is known: it may be there."""
    if delivery is None or delivery.event_type != TEST_EVENT:
        return False
    is_uncertain = delivery.status is DeliveryStatus.FAILED and delivery.last_error_code in _UNCERTAIN
    return delivery.status is DeliveryStatus.SENT or is_uncertain


def find_linked(delivery_id: int, reference: str, now: datetime) -> AlertDelivery | None:
    """Find the test send that a link speaks of, for as long as the link lives."""
    delivery = db.session.get(AlertDelivery, delivery_id)
    if delivery is None or delivery.event_type != TEST_EVENT or delivery.reference != reference:
        return None
    return delivery if now - delivery.created_at < LINK_LIFETIME else None


def record_by_link(delivery: AlertDelivery, now: datetime) -> bool:
    """Note that someone has pressed the link; False: it was known already that the message is there."""
    # The link came with the message, so it holds against every status, and against whoever did not see it yet.
    return _record(delivery, Receipt.SEEN, None, now, _IS_NOT_SEEN)


def record_by_member(delivery: AlertDelivery, account: Account, receipt: Receipt, now: datetime) -> bool:
    """Note what a member says, whatever was said before; False: the message is not in question."""
    record_about(delivery.destination, account, _ACTIONS[receipt], now)
    return _record(delivery, receipt, account.name, now, _IS_IN_QUESTION)


def _record(
    delivery: AlertDelivery, receipt: Receipt, name: str | None, now: datetime, only_if: ColumnElement[bool]
) -> bool:
    """Write it down. `updated_at` stays: it is when the delivery ended, and the badge shows it."""
    delivery_id = delivery.id
    statement = update(AlertDelivery).where(
        AlertDelivery.id == delivery_id, AlertDelivery.event_type == TEST_EVENT, only_if
    )
    statement = statement.values(receipt=receipt, receipt_at=now, receipt_by=name).returning(AlertDelivery.id)
    found = db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none()
    if found is None:
        db.session.rollback()
        return False
    db.session.commit()
    log.info("receipt recorded", extra={"delivery": delivery_id, "receipt": receipt, "by_link": name is None})
    return True


_IS_NOT_SEEN = or_(AlertDelivery.receipt.is_(None), AlertDelivery.receipt != Receipt.SEEN)
_IS_IN_QUESTION = or_(
    AlertDelivery.status == DeliveryStatus.SENT,
    (AlertDelivery.status == DeliveryStatus.FAILED) & AlertDelivery.last_error_code.in_(_UNCERTAIN),
)
