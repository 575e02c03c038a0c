"""Records the result of an attempt, once: only while the row is still in that attempt."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam

from webapp.deliveries.attempts.claiming import Attempt
from webapp.deliveries.attempts.group_commit import Groups
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.deliveries.database_retries import retry
from webapp.deliveries.transitions import Transition, apply_transition
from webapp.extensions import db
from webapp.models import AlertDelivery, database_clock

log = logging.getLogger(__name__)

_IS_STILL_OURS = (AlertDelivery.attempt_started_at == bindparam("our_start")) & (
    AlertDelivery.attempt_count == bindparam("our_number")
)


@dataclass(frozen=True)
class AttemptResult:
    """The result of an attempt: the transition it causes, and the columns it sets."""

    transition: Transition
    columns: dict[str, Any]


@dataclass(frozen=True)
class EndedAttempt:
    """An attempt that has ended, with the transition that its result causes and the columns to store."""

    attempt: Attempt
    transition: Transition
    columns: dict[str, Any]


def end_attempt(attempt: Attempt, result: AttemptResult, seconds: float) -> EndedAttempt:
    """Add the columns that describe the attempt itself to those of its result. seconds: its duration."""
    columns = result.columns | {"answer_seconds": round(seconds, 3)}
    columns["attempts"] = add_attempt(attempt.earlier, _to_past_attempt(attempt, columns))
    return EndedAttempt(attempt, result.transition, columns)


def _to_past_attempt(attempt: Attempt, columns: dict[str, Any]) -> PastAttempt:
    return PastAttempt(
        number=attempt.number,
        started_at=attempt.started_at,
        seconds=columns["answer_seconds"],
        code=columns["last_error_code"],
        answer_status=columns["answer_status"],
    )


def record_with_retries(ended: EndedAttempt, give_up_at: float, records: Groups[EndedAttempt, bool]) -> None:
    """Record the result, retrying while the database is unavailable. After `give_up_at`, recovery ends the row.

    give_up_at: seconds of the monotonic clock. Raises the last database error.
    """

    def record_alone() -> bool:
        return retry(lambda: record(ended, database_clock.estimate()), give_up_at, ended.attempt.delivery_id)

    _log_end(ended, recorded=records.join(ended, record_alone))


def record(ended: EndedAttempt, now: datetime) -> bool:
    """Record the result, unless recovery has ended the row meanwhile. Returns whether it was recorded."""
    attempt = ended.attempt
    ours = {"our_start": attempt.started_at, "our_number": attempt.number}
    recorded = apply_transition(ended.transition, attempt.delivery_id, now, _IS_STILL_OURS, ours, **ended.columns)
    db.session.commit()
    return recorded


def _log_end(ended: EndedAttempt, *, recorded: bool) -> None:
    attempt, columns = ended.attempt, ended.columns
    fields = {"delivery": attempt.delivery_id, "attempt": attempt.number, "transition": ended.transition.name}
    fields |= {"code": columns["last_error_code"], "seconds": columns["answer_seconds"], "recorded": recorded}
    log.info("attempt ended", extra=fields)
