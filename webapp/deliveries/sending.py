"""Send one delivery: claim it, let go of the database, send, record. Expects to be run twice, and sends once."""

import logging
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError

from webapp.channels.contract import Accepted
from webapp.config import Config
from webapp.deliveries.claiming import Attempt, claim
from webapp.deliveries.life import LOST_AFTER, change, failed
from webapp.deliveries.mistakes import name_mistake
from webapp.deliveries.retrying import plan_retry
from webapp.extensions import db
from webapp.failures import DeliveryFailed
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.outbound import WayOut

log = logging.getLogger(__name__)

PAUSE = 0.5
"""Seconds between two tries to record an outcome while the database is away."""


def send(delivery_id: int, config: Config) -> None:
    """Send a queued delivery, if it still is to be sent, and record how it went."""
    attempt = claim(delivery_id, config, datetime.now(UTC))
    db.session.remove()
    if attempt is None:
        return
    began = time.monotonic()
    values = _try(attempt, config.way_out)
    values["answer_seconds"] = round(time.monotonic() - began, 3)
    _record_patiently(attempt, values, give_up_at=began + LOST_AFTER.total_seconds())


def _try(attempt: Attempt, way_out: WayOut) -> dict[str, Any]:
    """Make the attempt and say what the row becomes."""
    try:
        return _sent(attempt.channel.send(attempt.settings, attempt.message, way_out))
    except DeliveryFailed as failure:
        return _not_sent(attempt, failure)
    except Exception as error:
        return _not_sent(attempt, name_mistake(error, attempt.delivery_id))


def _sent(accepted: Accepted) -> dict[str, Any]:
    return {
        "status": DeliveryStatus.SENT,
        "sent_at": datetime.now(UTC),
        "attempt_started_at": None,
        "answer_status": accepted.status,
        "last_error_code": None,
        "last_error_message": accepted.warning,
    }


def _not_sent(attempt: Attempt, failure: DeliveryFailed) -> dict[str, Any]:
    values = failed(failure.code, failure.message) | {"answer_status": failure.facts.status}
    retry_at = plan_retry(failure, attempt.number, attempt.requested_at, datetime.now(UTC))
    if retry_at is not None:
        values |= {"status": DeliveryStatus.DEFERRED, "send_after": retry_at}
    return values


def _record_patiently(attempt: Attempt, values: dict[str, Any], give_up_at: float) -> None:
    """Record what is known, also if the database is away for a moment; after `give_up_at` the row ends by itself."""
    while True:
        try:
            return _record(attempt, values, datetime.now(UTC))
        except DBAPIError as error:
            db.session.rollback()
            if time.monotonic() + PAUSE > give_up_at:
                raise
            log.warning("outcome not recorded yet: delivery=%s error=%s", attempt.delivery_id, type(error).__name__)
            time.sleep(PAUSE)


def _record(attempt: Attempt, values: dict[str, Any], now: datetime) -> None:
    """Write the outcome, unless the row was given up on meanwhile: then that stands."""
    still_ours = (AlertDelivery.attempt_started_at == attempt.started_at) & (
        AlertDelivery.attempt_count == attempt.number
    )
    recorded = change(attempt.delivery_id, still_ours, now, **values)
    db.session.commit()
    log.info(
        "attempt ended: delivery=%s attempt=%s status=%s code=%s recorded=%s",
        attempt.delivery_id,
        attempt.number,
        values["status"],
        values["last_error_code"],
        recorded,
    )
