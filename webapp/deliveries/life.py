"""How a delivery may change: every change is one conditional update, so that none is lost or made twice."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update

from webapp.extensions import db
from webapp.failures import Code, describe
from webapp.models import AlertDelivery, DeliveryStatus

PATIENCE = timedelta(minutes=2)
"""A test send ends within this time of the press: a person is waiting for the answer."""

LOST_AFTER = timedelta(seconds=20)
"""An attempt that is older than this has lost its worker: the way out ends each one within 8 s."""

QUEUED = AlertDelivery.status == DeliveryStatus.QUEUED
UNCLAIMED = QUEUED & AlertDelivery.attempt_started_at.is_(None)
WAITING = UNCLAIMED | (AlertDelivery.status == DeliveryStatus.DEFERRED)


def change(delivery_id: int, only_if: ColumnElement[bool], now: datetime, **values: Any) -> bool:
    """Change a row if it still is where it is expected to be, and say whether it was. The caller commits."""
    statement = update(AlertDelivery).where(AlertDelivery.id == delivery_id, only_if).values(updated_at=now, **values)
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def failed(code: Code, message: str | None = None) -> dict[str, Any]:
    """The values of a row that ends as failed."""
    return _ended(DeliveryStatus.FAILED, code, message)


def canceled(code: Code) -> dict[str, Any]:
    """The values of a row that ends without having been sent."""
    return _ended(DeliveryStatus.CANCELED, code, None)


def _ended(status: DeliveryStatus, code: Code, message: str | None) -> dict[str, Any]:
    return {
        "status": status,
        "last_error_code": code.value,
        "last_error_message": message or describe(code),
        "attempt_started_at": None,
        "send_after": None,
    }
