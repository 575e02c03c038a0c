"""The completed attempts of a delivery, as stored in its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webapp.deliveries.delivery_rows import AnyDelivery, AnyWaiting
from webapp.failures import Code


@dataclass(frozen=True)
class PastAttempt:
    """One completed attempt.

    number: counts from 1. seconds: its duration; None if its worker was lost.
    code: why it failed; None if it succeeded.
    answer_status: the receiver's HTTP status or SMTP code; None without a response.
    """

    number: int
    started_at: datetime
    seconds: float | None
    code: str | None
    answer_status: int | None


def list_attempts(delivery: AnyDelivery) -> list[PastAttempt]:
    """Return a delivery's completed attempts, oldest first; empty if an older version recorded none."""
    stored = delivery.attempts or []
    return [PastAttempt(**values | {"started_at": datetime.fromisoformat(values["started_at"])}) for values in stored]


def add_attempt(earlier: Sequence[dict[str, Any]] | None, attempt: PastAttempt) -> list[dict[str, Any]]:
    """Return the value of the `attempts` column after this attempt."""
    values = vars(attempt) | {"started_at": attempt.started_at.astimezone(UTC).isoformat()}
    return [*(earlier or []), values]


def add_lost_attempt(delivery: AnyWaiting, started_at: datetime) -> list[dict[str, Any]]:
    """Return the value of the `attempts` column after the running attempt lost its worker."""
    lost = PastAttempt(delivery.attempt_count, started_at, None, Code.WORKER_LOST.value, None)
    return add_attempt(delivery.attempts, lost)
