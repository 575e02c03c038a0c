"""Claims a delivery for one worker and copies everything that sending needs out of the database."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam

from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.channels.fields import Settings
from webapp.channels.message import Message
from webapp.deliveries.attempts.changed_since_press import (
    CANCELING_CODES,
    STILL_MATCHES,
    expected_values,
    require_unchanged,
)
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.deliveries.claim_candidates import AnyDestination, ClaimCandidate, read_candidate, select_candidates
from webapp.deliveries.messages import read_message
from webapp.deliveries.retry_policy import RetryPolicy, find_retry_policy
from webapp.deliveries.transitions import CANCEL, CLAIM, REFUSE, apply_transition, error_columns
from webapp.deliveries.unexpected_errors import log_unexpected
from webapp.encryption.settings_cipher import SettingsUnreadable
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

_COMPARE_KEYS = (
    "No key in ALERTCHECK_CONFIG_KEYS of this process decrypts them. Every web server and worker needs the same keys: "
    "compare them, and run alertcheck check-settings on each machine."
)

# Statements are built once: building one takes longer than executing it.
_LOAD = select_candidates().where(AlertDelivery.id == bindparam("delivery_id"))


@dataclass(frozen=True)
class Attempt:
    """Everything that one attempt needs.

    number: counts from 1. earlier: the completed attempts, as stored in the row.
    started_at: the time stored by the claim; together with the number, it identifies the claim.
    workspace_slug: determines where the message may go.
    """

    delivery_id: int
    number: int
    earlier: Sequence[dict[str, Any]]
    policy: RetryPolicy
    requested_at: datetime
    started_at: datetime
    channel: Channel
    settings: Settings
    message: Message
    workspace_slug: str


def claim(
    delivery_id: int,
    app_settings: AppSettings,
    now: datetime,
    report: Callable[[ReadyDelivery], None] | None = None,
) -> Attempt | None:
    """Claim a delivery for this worker and commit. Returns None if it must not be sent.

    report: is told what the concurrency limits need to know, before the delivery is claimed.
    """
    delivery = _load(delivery_id)
    if delivery is not None and report is not None:
        report(ReadyDelivery(delivery_id, delivery.alert_destination_id, delivery.workspace_id))
    policy = find_retry_policy(delivery.event_type, app_settings) if delivery else None
    if delivery is None or policy is None or not is_claimable(delivery, policy, now):
        db.session.rollback()
        log.info("delivery not claimed", extra={"delivery": delivery_id})
        return None
    try:
        attempt = prepare_attempt(delivery, policy, app_settings, now)
    except DeliveryFailed as failure:
        _end(delivery, failure, now)
        return None
    except Exception as error:  # such as a row written by another version
        _end(delivery, log_unexpected(error, delivery=delivery_id), now)
        return None
    claimed = apply_transition(
        CLAIM,
        delivery_id,
        now,
        STILL_MATCHES,
        expected_values(delivery),
        attempt_count=attempt.number,
        exchange=None,
    )
    db.session.commit()
    fields = {"delivery": delivery_id, "attempt": attempt.number}
    log.info("delivery claimed" if claimed else "delivery not claimed", extra=fields)
    return attempt if claimed else None


def _load(delivery_id: int) -> ClaimCandidate | None:
    row = db.session.connection().execute(_LOAD, {"delivery_id": delivery_id}).one_or_none()
    return read_candidate(row) if row else None


def is_claimable(delivery: ClaimCandidate, policy: RetryPolicy, now: datetime) -> bool:
    """Return whether a delivery waits to be sent, and not for too long."""
    return is_unclaimed(delivery) and now - delivery.created_at < policy.time_limit


def is_unclaimed(delivery: ClaimCandidate) -> bool:
    """Return whether a delivery waits to be sent: `IS_UNCLAIMED` of a row that was read."""
    return delivery.status is DeliveryStatus.QUEUED and delivery.attempt_started_at is None


def _end(delivery: ClaimCandidate, failure: DeliveryFailed, now: datetime) -> None:
    transition = CANCEL if failure.code in CANCELING_CODES else REFUSE
    apply_transition(transition, delivery.id, now, **error_columns(failure.code, failure.message))
    db.session.commit()


def prepare_attempt(delivery: ClaimCandidate, policy: RetryPolicy, app_settings: AppSettings, now: datetime) -> Attempt:
    """Return the attempt. Raises `DeliveryFailed` if the message must not be sent, or the settings cannot be used."""
    destination = delivery.destination
    require_unchanged(delivery)
    return Attempt(
        delivery_id=delivery.id,
        number=delivery.attempt_count + 1,
        earlier=delivery.attempts or (),
        policy=policy,
        requested_at=delivery.created_at,
        started_at=now,
        channel=get_channel(destination),
        settings=open_settings(destination, app_settings),
        message=read_message(delivery, app_settings),
        workspace_slug=delivery.workspace_slug,
    )


def get_channel(destination: AnyDestination) -> Channel:
    """Return a destination's channel. Raises `DeliveryFailed` if this version has no channel of that name."""
    if destination.type not in CHANNELS:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return CHANNELS[destination.type]


def open_settings(destination: AnyDestination, app_settings: AppSettings) -> Settings:
    """Decrypt a destination's settings. Raises `DeliveryFailed` if they cannot be decrypted."""
    try:
        return app_settings.cipher.decrypt(destination.config, context=destination.encryption_context)
    except SettingsUnreadable:
        log.warning("settings cannot be decrypted", extra={"destination": destination.id, "advice": _COMPARE_KEYS})
        raise DeliveryFailed(Code.CONFIG_UNREADABLE) from None
