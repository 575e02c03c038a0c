"""When a pending delivery is over, and how it ends: one rule for recovery and for the pages that show it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from webapp.app_state import Waited, WaitObserver
from webapp.deliveries.attempts.claim_record import list_possibly_claimed
from webapp.deliveries.attempts.past_attempts import add_lost_attempt
from webapp.deliveries.delivery_rows import AnyWaiting
from webapp.deliveries.recovery.host_watch import list_slow, watch
from webapp.deliveries.retry_policy import RetryPolicy
from webapp.deliveries.transitions import EXPIRE, LOST_AFTER, MARK_LOST, Transition, error_columns
from webapp.failures import Code

# A process, or the processes of a host, must have seen an attempt unchanged for this long before they believe the
# database's clock that it is over: a clock that was set must not end a live attempt, which lasts 8 s at most.
WATCHED_AT_LEAST = timedelta(seconds=9)

Delivery = TypeVar("Delivery", bound=AnyWaiting)


@dataclass(frozen=True)
class PlannedTransition:
    """A transition that is due, with the columns it sets."""

    transition: Transition
    columns: dict[str, Any] = field(default_factory=dict)


def identify(row: AnyWaiting) -> tuple[int, datetime]:
    """Return which row it is: after a failover or a restore, its id alone may be that of a later row."""
    return row.id, row.created_at


def observe(wait_tracker: WaitObserver, rows: Sequence[Delivery], now: datetime) -> list[tuple[Delivery, Waited]]:
    """Return the rows, each with how long this process has seen it wait, or the host has seen its slow attempt."""
    seen_by_host = watch(list_slow(rows, now), wait_tracker.now())
    return [(row, _observe_one(wait_tracker, row, seen_by_host.get(row.id, timedelta(0)))) for row in rows]


def _observe_one(wait_tracker: WaitObserver, row: AnyWaiting, seen_by_host: timedelta) -> Waited:
    state = (row.status, row.attempt_started_at, row.attempt_count, row.updated_at)
    waited = wait_tracker.observe(identify(row), state)
    return replace(waited, unchanged=max(waited.unchanged, seen_by_host))


def plan_end(row: AnyWaiting, now: datetime, policy: RetryPolicy, waited: Waited) -> PlannedTransition | None:
    """Return how a pending row ends, or None if it is not over.

    A row that only waits is timed by the database's clock and by the monotonic clock, and the earlier one counts: no
    worker claims it any more, and the update is conditional. An attempt is lost after `LOST_AFTER` by the monotonic
    clock, or by the database's clock if this process or its host has watched it for `WATCHED_AT_LEAST`.
    """
    if row.attempt_started_at is not None:
        is_old = now - row.attempt_started_at >= LOST_AFTER and waited.unchanged >= WATCHED_AT_LEAST
        return plan_loss(row) if is_old or waited.unchanged >= LOST_AFTER else None
    is_over = max(now - row.created_at, waited.since_first_seen) >= policy.time_limit
    return _plan_expiry(row) if is_over else None


def _plan_expiry(row: AnyWaiting) -> PlannedTransition:
    # After an attempt, the row already holds its error, which is the reason.
    return PlannedTransition(EXPIRE, error_columns(Code.NOT_STARTED) if row.attempt_count == 0 else {})


def plan_loss(row: AnyWaiting) -> PlannedTransition:
    """Return how a row ends whose running attempt has no result."""
    assert row.attempt_started_at is not None
    columns = error_columns(Code.WORKER_LOST) | {"attempts": add_lost_attempt(row, row.attempt_started_at)}
    return PlannedTransition(MARK_LOST, columns)


def settle_expiries(
    due: Sequence[tuple[Delivery, PlannedTransition]],
) -> list[tuple[Delivery, PlannedTransition]]:
    """Return the same transitions, but let a row that may have been sent before a restore end as `WORKER_LOST`.

    In the order of the rows' ids: whoever changes several deliveries in a transaction does it in this order, so that
    no two wait for each other.
    """
    possibly_claimed = list_possibly_claimed([row for row, planned in due if planned.transition is EXPIRE])
    lost = PlannedTransition(EXPIRE, error_columns(Code.WORKER_LOST))
    settled = [(row, lost if row.id in possibly_claimed else planned) for row, planned in due]
    return sorted(settled, key=lambda pair: pair[0].id)
