"""Send one delivery: claim it, let go of the database, send, record. Expects to be run twice, and sends once."""

import logging
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.channels.contract import Accepted
from webapp.deliveries.attempts import PastAttempt, add_attempt
from webapp.deliveries.claiming import Attempt, claim
from webapp.deliveries.retry_policy import plan_retry
from webapp.deliveries.transitions import ACCEPT, DEFER, FAIL, LOST_AFTER, Transition, apply_transition, error_columns
from webapp.deliveries.unexpected_errors import log_unexpected
from webapp.extensions import db
from webapp.failures import DeliveryFailed
from webapp.models import AlertDelivery
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

_IS_STILL_OURS = (AlertDelivery.attempt_started_at == bindparam("our_start")) & (
    AlertDelivery.attempt_count == bindparam("our_number")
)

RECORD_RETRY_INTERVAL = 0.5
"""Seconds between two tries to record an outcome while the database is away."""


@dataclass(frozen=True)
class AttemptResult:
    """The result of an attempt: the transition it causes, and the columns it sets."""

    transition: Transition
    facts: dict[str, Any]


def send(delivery_id: int, app_settings: AppSettings) -> None:
    """Send a queued delivery, if it still is to be sent, and record how it went."""
    attempt = claim(delivery_id, app_settings, datetime.now(UTC))
    db.session.remove()
    if attempt is None:
        return
    began = time.monotonic()
    result = attempt_send(attempt, app_settings.outbound)
    _record_with_retries(attempt, result, time.monotonic() - began, began + LOST_AFTER.total_seconds())


def attempt_send(attempt: Attempt, outbound: OutboundClient) -> AttemptResult:
    """Make the attempt and say what it came to. Touches no database."""
    try:
        return _accepted(attempt.channel.send(attempt.settings, attempt.message, outbound))
    except DeliveryFailed as failure:
        return _failed(attempt, failure)
    except Exception as error:
        return _failed(attempt, log_unexpected(error, attempt.delivery_id))


def _accepted(accepted: Accepted) -> AttemptResult:
    facts = {"sent_at": datetime.now(UTC), "answer_status": accepted.status}
    return AttemptResult(ACCEPT, facts | {"last_error_code": None, "last_error_message": accepted.warning})


def _failed(attempt: Attempt, failure: DeliveryFailed) -> AttemptResult:
    facts = error_columns(failure.code, failure.message) | {"answer_status": failure.facts.status}
    now, jitter_fraction = datetime.now(UTC), random.random()  # noqa: S311 - spreads retries, keeps no secret
    retry_at = plan_retry(failure, attempt.number, attempt.policy, attempt.requested_at, now, jitter_fraction)
    return AttemptResult(FAIL, facts) if retry_at is None else AttemptResult(DEFER, facts | {"send_after": retry_at})


def _record_with_retries(attempt: Attempt, result: AttemptResult, seconds: float, give_up_at: float) -> None:
    """Record what is known, also if the database is away for a moment; after `give_up_at` the row ends by itself."""
    while True:
        try:
            return record(attempt, result, seconds, datetime.now(UTC))
        except (DBAPIError, PoolTimeout) as error:
            db.session.rollback()
            if time.monotonic() + RECORD_RETRY_INTERVAL > give_up_at:
                raise
            facts = {"delivery": attempt.delivery_id, "error": type(error).__name__}
            log.warning("outcome not recorded yet", extra=facts)
            time.sleep(RECORD_RETRY_INTERVAL)


def record(attempt: Attempt, result: AttemptResult, seconds: float, now: datetime) -> None:
    """Write the outcome, unless the row was given up on meanwhile: then that stands. seconds: how long it took."""
    facts = result.facts | {"answer_seconds": round(seconds, 3)}
    facts["attempts"] = add_attempt(attempt.earlier, _past(attempt, facts))
    ours = {"our_start": attempt.started_at, "our_number": attempt.number}
    recorded = apply_transition(result.transition, attempt.delivery_id, now, _IS_STILL_OURS, ours, **facts)
    db.session.commit()
    told = {"delivery": attempt.delivery_id, "attempt": attempt.number, "transition": result.transition.name}
    told |= {"code": facts["last_error_code"], "seconds": facts["answer_seconds"], "recorded": recorded}
    log.info("attempt ended", extra=told)


def _past(attempt: Attempt, facts: dict[str, Any]) -> PastAttempt:
    return PastAttempt(
        number=attempt.number,
        started_at=attempt.started_at,
        seconds=facts["answer_seconds"],
        code=facts["last_error_code"],
        answer_status=facts["answer_status"],
    )
