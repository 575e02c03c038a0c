"""Sends one delivery: claim, release the database, send, record. Safe to run twice: only one run sends.

Threads of one process that claim, or record, at the same time do it together (`group_commit.py`).
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from webapp.channels.contract import Accepted
from webapp.database.outages import describe_outage
from webapp.database.sessions import discard_transaction
from webapp.deliveries.attempts.claim_record import note_claim
from webapp.deliveries.attempts.claiming import Attempt, claim
from webapp.deliveries.attempts.exchanges import write_exchange
from webapp.deliveries.attempts.group_claiming import claim_group
from webapp.deliveries.attempts.group_commit import ALONE, Alone, Groups
from webapp.deliveries.attempts.group_recording import record_group
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.deliveries.attempts.recording import AttemptResult, EndedAttempt, end_attempt, record_with_retries
from webapp.deliveries.attempts.suggestions import write_suggestion
from webapp.deliveries.database_retries import BEGIN_PATIENCE, retry
from webapp.deliveries.retry_policy import plan_retry
from webapp.deliveries.transitions import ACCEPT, DEFER, FAIL, LOST_AFTER, error_columns
from webapp.deliveries.unexpected_errors import log_unexpected
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import database_clock
from webapp.outbound import ExchangeRecorder, OutboundClient
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# A row that came back through a restore or a failover: its message may have arrived, so it is not sent again.
_ALREADY_SENT = AttemptResult(FAIL, error_columns(Code.WORKER_LOST) | {"answer_status": None})


@dataclass(frozen=True)
class SendGroups:
    """The claims and the records that the threads of one process make together."""

    claims: Groups[int, Attempt | None]
    records: Groups[EndedAttempt, bool]


def open_groups(app_settings: AppSettings) -> SendGroups:
    """Return the groups for a process's threads, which call `send` with them."""

    def claim_all(delivery_ids: Sequence[int]) -> Sequence[Attempt | Alone | None]:
        return _try_together(lambda: claim_group(delivery_ids, app_settings, database_clock.now()), delivery_ids)

    def record_all(ended: Sequence[EndedAttempt]) -> Sequence[bool | Alone]:
        delivery_ids = [one.attempt.delivery_id for one in ended]
        return _try_together(lambda: record_group(ended, database_clock.estimate()), delivery_ids)

    return SendGroups(Groups(claim_all), Groups(record_all))


def _try_together(
    work: Callable[[], Sequence[Result | Alone]], delivery_ids: Sequence[int]
) -> Sequence[Result | Alone]:
    """Return the results of a group. If it fails, each delivery is worked on by itself."""
    try:
        return work()
    except Exception as error:  # of a row or of the database; the work on each row alone handles it
        discard_transaction()
        db.session.remove()
        fields = {"deliveries": delivery_ids, "error": type(error).__name__, "outage": describe_outage(error)}
        log.warning("group failed, each delivery goes on by itself", extra=fields)
        return [ALONE] * len(delivery_ids)


def send(
    delivery_id: int,
    app_settings: AppSettings,
    groups: SendGroups | None = None,
    report: Callable[[ReadyDelivery], None] | None = None,
) -> None:
    """Send a queued delivery, if it is still waiting to be sent, and record the result.

    groups: those of this process; None to claim and record by itself.
    report: if the delivery was not looked up, is told about it before it is claimed. It is then claimed by itself.
    """
    groups = groups or open_groups(app_settings)
    give_up_at = time.monotonic() + BEGIN_PATIENCE

    def claim_alone() -> Attempt | None:
        return retry(lambda: claim(delivery_id, app_settings, database_clock.now(), report), give_up_at, delivery_id)

    attempt = claim_alone() if report else groups.claims.join(delivery_id, claim_alone)
    db.session.remove()
    if attempt is None:
        return
    began = time.monotonic()
    is_new = note_claim(attempt.delivery_id, attempt.number, attempt.requested_at, attempt.started_at)
    result = attempt_send(attempt, app_settings.outbound_for(attempt.workspace_slug)) if is_new else _ALREADY_SENT
    ended = end_attempt(attempt, result, time.monotonic() - began)
    record_with_retries(ended, began + LOST_AFTER.total_seconds(), groups.records)


def attempt_send(attempt: Attempt, outbound: OutboundClient) -> AttemptResult:
    """Make the attempt and return its result. Does not use the database."""
    recorder = ExchangeRecorder(outbound.policy.denied_networks)
    result = _send_message(attempt, replace(outbound, recorder=recorder))
    return replace(result, columns=result.columns | {"exchange": write_exchange(recorder.facts)})


def _send_message(attempt: Attempt, outbound: OutboundClient) -> AttemptResult:
    try:
        return _accepted(attempt.channel.send(attempt.settings, attempt.message, outbound))
    except DeliveryFailed as failure:
        return _failed(attempt, failure)
    except Exception as error:
        return _failed(attempt, log_unexpected(error, delivery=attempt.delivery_id))


def _accepted(accepted: Accepted) -> AttemptResult:
    columns = {"sent_at": database_clock.estimate(), "answer_status": accepted.status}
    columns |= {"last_error_code": None, "last_error_message": accepted.warning, "suggestion": None}
    return AttemptResult(ACCEPT, columns)


def _failed(attempt: Attempt, failure: DeliveryFailed) -> AttemptResult:
    columns = error_columns(failure.code, failure.message) | {
        "answer_status": failure.facts.status,
        "suggestion": write_suggestion(failure.suggestion),
    }
    now, jitter_fraction = database_clock.estimate(), random.random()  # noqa: S311 - spreads retries, protects no secret
    retry_at = plan_retry(failure, attempt.number, attempt.policy, attempt.requested_at, now, jitter_fraction)
    if retry_at is None:
        return AttemptResult(FAIL, columns)
    return AttemptResult(DEFER, columns | {"send_after": retry_at})
