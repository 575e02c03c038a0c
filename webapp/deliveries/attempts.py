"""The attempts of a delivery that have ended, as its row keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webapp.failures import Code
from webapp.models import AlertDelivery


@dataclass(frozen=True)
class PastAttempt:
    """One attempt.

    seconds: how long it took; None if its worker was lost. code: why it did not go through, or None.
    answer_status: the far end's HTTP status or SMTP code, or None if it gave no answer.
    """

    number: int
    started_at: datetime
    seconds: float | None
    code: str | None
    answer_status: int | None


def list_attempts(delivery: AlertDelivery) -> list[PastAttempt]:
    """Read a delivery's attempts, the first one first; none where an older version recorded none."""
    kept = delivery.attempts or []
    return [PastAttempt(**values | {"started_at": datetime.fromisoformat(values["started_at"])}) for values in kept]


def add_attempt(earlier: Sequence[dict[str, Any]] | None, attempt: PastAttempt) -> list[dict[str, Any]]:
    """Return what the row keeps once this attempt has ended."""
    values = vars(attempt) | {"started_at": attempt.started_at.astimezone(UTC).isoformat()}
    return [*(earlier or []), values]


def add_lost_attempt(delivery: AlertDelivery, started_at: datetime) -> list[dict[str, Any]]:
    """Return what the row keeps once the attempt that was going on has lost its worker."""
    lost = PastAttempt(delivery.attempt_count, started_at, None, Code.WORKER_LOST.value, None)
    return add_attempt(delivery.attempts, lost)
