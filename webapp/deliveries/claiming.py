"""Claim one delivery for one worker, and copy all that sending it needs out of the database."""

import logging
from dataclasses import dataclass
from datetime import datetime

from webapp.channels import CHANNELS
from webapp.channels.contract import Channel, Message, Settings
from webapp.config import Config
from webapp.deliveries.life import PATIENCE, UNCLAIMED, canceled, change, failed
from webapp.deliveries.mistakes import name_mistake
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.last_test import find_newest_test
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination
from webapp.sealing import Unreadable

log = logging.getLogger(__name__)

_CANCELS = {Code.DESTINATION_DELETED, Code.DESTINATION_DISABLED, Code.DESTINATION_CHANGED, Code.SUPERSEDED}


@dataclass(frozen=True)
class Attempt:
    """All that one attempt needs.

    number: 1 for the first attempt. started_at: what the claim wrote; nobody else's claim has the same.
    """

    delivery_id: int
    number: int
    requested_at: datetime
    started_at: datetime
    channel: Channel
    settings: Settings
    message: Message


def claim(delivery_id: int, config: Config, now: datetime) -> Attempt | None:
    """Take the row for this worker alone and look at its destination again. None: it is not to be sent (any more)."""
    in_time = (AlertDelivery.created_at > now - PATIENCE) | (AlertDelivery.event_type != TEST_EVENT)
    if not change(delivery_id, UNCLAIMED & in_time, now, attempt_started_at=now):
        db.session.rollback()
        log.info("delivery not claimed: delivery=%s", delivery_id)
        return None
    delivery = db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
    attempt = _prepare_or_end(delivery, config, now)
    db.session.commit()
    return attempt


def _prepare_or_end(delivery: AlertDelivery, config: Config, now: datetime) -> Attempt | None:
    try:
        attempt = _prepare(delivery, config, now)
    except DeliveryFailed as failure:
        obstacle = failure
    except Exception as error:  # a row that another version wrote, for one
        obstacle = name_mistake(error, delivery.id)
    else:
        delivery.attempt_count = attempt.number
        return attempt
    ending = canceled(obstacle.code) if obstacle.code in _CANCELS else failed(obstacle.code, obstacle.message)
    change(delivery.id, AlertDelivery.attempt_started_at == now, now, **ending)
    log.info("delivery not sent: delivery=%s code=%s", delivery.id, obstacle.code)
    return None


def _prepare(delivery: AlertDelivery, config: Config, now: datetime) -> Attempt:
    """Copy what the attempt needs. Raises `DeliveryFailed` if it is not to be made."""
    destination = delivery.destination
    db.session.refresh(destination)
    _require_unchanged(delivery, destination)
    return Attempt(
        delivery_id=delivery.id,
        number=delivery.attempt_count + 1,
        requested_at=delivery.created_at,
        started_at=now,
        channel=_get_channel(destination),
        settings=_open(destination, config),
        message=_read_message(delivery),
    )


def _require_unchanged(delivery: AlertDelivery, destination: AlertDestination) -> None:
    if destination.deleted_at is not None:
        raise DeliveryFailed(Code.DESTINATION_DELETED)
    if not destination.is_enabled:
        raise DeliveryFailed(Code.DESTINATION_DISABLED)
    if delivery.settings_version not in (None, destination.settings_version):
        raise DeliveryFailed(Code.DESTINATION_CHANGED)
    if delivery.event_type == TEST_EVENT and find_newest_test(destination) != delivery:
        raise DeliveryFailed(Code.SUPERSEDED)


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
