"""Send one delivery: claim it, let go of the database, send, record. Expects to be run twice, and sends once."""

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webapp.channels import CHANNELS
from webapp.channels.contract import Accepted, Channel, Message, Settings
from webapp.config import Config
from webapp.deliveries.life import PATIENCE, UNCLAIMED, canceled, change, failed
from webapp.deliveries.retrying import plan_retry
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed, Facts
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DeliveryStatus
from webapp.outbound import WayOut
from webapp.sealing import Unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """All that one attempt needs, copied out of the database.

    number: 1 for the first attempt. started_at: what the claim wrote; nobody else's claim has the same.
    """

    delivery_id: int
    number: int
    requested_at: datetime
    started_at: datetime
    channel: Channel
    settings: Settings
    message: Message


def send(delivery_id: int, config: Config) -> None:
    """Send a queued delivery, if it still is to be sent, and record how it went."""
    attempt = _claim(delivery_id, config, datetime.now(UTC))
    db.session.remove()
    if attempt is None:
        return
    began = time.monotonic()
    values = _try(attempt, config.way_out)
    values["answer_seconds"] = round(time.monotonic() - began, 3)
    _record(attempt, values, datetime.now(UTC))


def _claim(delivery_id: int, config: Config, now: datetime) -> Attempt | None:
    """Take the row for this worker alone and look at its destination again. None: it is not to be sent (any more)."""
    in_time = (AlertDelivery.created_at > now - PATIENCE) | (AlertDelivery.event_type != TEST_EVENT)
    if not change(delivery_id, UNCLAIMED & in_time, now, attempt_started_at=now):
        db.session.rollback()
        log.info("delivery not claimed: delivery=%s", delivery_id)
        return None
    delivery = db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
    try:
        attempt = _prepare(delivery, config, now)
    except DeliveryFailed as obstacle:
        ending = canceled(obstacle.code) if obstacle.code in _CANCELS else failed(obstacle.code, obstacle.message)
        change(delivery_id, AlertDelivery.attempt_started_at == now, now, **ending)
        db.session.commit()
        log.info("delivery not sent: delivery=%s code=%s", delivery_id, obstacle.code)
        return None
    delivery.attempt_count = attempt.number
    db.session.commit()
    return attempt


_CANCELS = {Code.DESTINATION_DELETED, Code.DESTINATION_DISABLED, Code.DESTINATION_CHANGED}


def _prepare(delivery: AlertDelivery, config: Config, now: datetime) -> Attempt:
    """Copy what the attempt needs. Raises `DeliveryFailed` if the destination is not what it was at the press."""
    destination = delivery.destination
    db.session.refresh(destination)
    if destination.deleted_at is not None:
        raise DeliveryFailed(Code.DESTINATION_DELETED)
    if not destination.is_enabled:
        raise DeliveryFailed(Code.DESTINATION_DISABLED)
    if delivery.settings_version not in (None, destination.settings_version):
        raise DeliveryFailed(Code.DESTINATION_CHANGED)
    return Attempt(
        delivery_id=delivery.id,
        number=delivery.attempt_count + 1,
        requested_at=delivery.created_at,
        started_at=now,
        channel=_get_channel(destination),
        settings=_open(destination, config),
        message=_read_message(delivery),
    )


def _get_channel(destination: AlertDestination) -> Channel:
    if destination.type not in CHANNELS:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return CHANNELS[destination.type]


def _open(destination: AlertDestination, config: Config) -> Settings:
    try:
        return config.sealer.open(destination.config, bound_to=destination.seal)
    except Unreadable:
        raise DeliveryFailed(Code.CONFIG_UNREADABLE) from None


def _read_message(delivery: AlertDelivery) -> Message:
    payload = dict(delivery.payload)
    requested_at = datetime.fromisoformat(payload.pop("requested_at"))
    return Message(event_type=delivery.event_type, requested_at=requested_at, **payload)


def _try(attempt: Attempt, way_out: WayOut) -> dict[str, Any]:
    """Make the attempt and say what the row becomes."""
    try:
        return _sent(attempt.channel.send(attempt.settings, attempt.message, way_out))
    except DeliveryFailed as failure:
        return _not_sent(attempt, failure)
    except Exception as error:  # a mistake of ours: named by type and place alone, its text may hold the address
        reference = secrets.token_hex(4)
        log.error("attempt broke: delivery=%s reference=%s %s", attempt.delivery_id, reference, _place(error))
        return _not_sent(attempt, DeliveryFailed(Code.INTERNAL_ERROR, Facts(reference=reference)))


def _sent(accepted: Accepted) -> dict[str, Any]:
    return {
        "status": DeliveryStatus.SENT,
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


def _record(attempt: Attempt, values: dict[str, Any], now: datetime) -> None:
    """Write the outcome, unless the row was given up on meanwhile: then that stands."""
    if values["status"] is DeliveryStatus.SENT:
        values["sent_at"] = now
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


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    where = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "nowhere"
    return f"{type(error).__name__} at {where}"
