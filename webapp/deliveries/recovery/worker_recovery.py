"""Recovery: about once a second, resumes due retries, requeues unclaimed rows, and ends rows that would never end.

Runs in the supervisor of every worker. It reads only the rows, so it also recovers jobs that the queue has lost.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, tuple_, update

from webapp.app_state import Waited
from webapp.deliveries.attempts.claim_record import keep_record
from webapp.deliveries.delivery_rows import WAITING_COLUMNS, WaitingRow
from webapp.deliveries.recovery.overdue_and_lost import PlannedTransition, identify, observe, plan_end, settle_expiries
from webapp.deliveries.recovery.wait_tracker import WaitTracker
from webapp.deliveries.retry_policy import find_retry_policy
from webapp.deliveries.transitions import REQUEUE, RESUME, apply_to_unchanged
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.models.types import UtcDateTime
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

# A row that stays unclaimed this long is enqueued again. The claim still ensures that it is sent only once.
REQUEUE_AFTER = timedelta(seconds=10)

# Rows of one transaction.
PAGE_SIZE = 50

# Seconds of one pass. The next one continues.
PASS_TIME = 0.025

# Where a page begins: after the row with this time of its last change and this id.
_Position = tuple[datetime, int]
_START: _Position = (datetime(1970, 1, 1, tzinfo=UTC), 0)

# Fails where an update would: in a read-only or locked database, or without the permission. Changes no row.
_WRITE_NOTHING = (
    update(AlertDelivery)
    .where(AlertDelivery.id == 0)
    .values(attempt_count=AlertDelivery.attempt_count)
    .execution_options(synchronize_session=False)
)


class Recovery:
    """Looks at the rows that wait, page by page, longest unchanged first. One object for all passes of a process.

    A round over all of them takes one pass or several.
    clock: returns seconds; the default is the monotonic clock.
    is_behind: whether the last pass left rows to the next one.
    """

    def __init__(self, wait_tracker: WaitTracker, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_tracker, self._clock = wait_tracker, clock
        self._after, self._round_began_at = _START, _START[0]
        self._seen: set[tuple[int, datetime]] = set()
        self.is_behind = False

    def run(self, now: datetime, app_settings: AppSettings) -> list[int]:
        """Apply due transitions, commit, and return the ids to enqueue. Several workers may do it at once.

        A pass that returns has shown that the database can be read and written.
        """
        self.is_behind, give_up_at = False, self._clock() + PASS_TIME
        if self._after == _START:
            self._round_began_at = now
        keep_record(since=now)
        enqueued = self._recover_page(now, app_settings, give_up_at)
        while self.is_behind and self._clock() < give_up_at:
            enqueued += self._recover_page(now, app_settings, give_up_at)
        return enqueued

    def _recover_page(self, now: datetime, app_settings: AppSettings, give_up_at: float) -> list[int]:
        rows = _list_waiting(now, app_settings, self._after)
        observed = observe(self._wait_tracker, rows, now)
        due = [(row, plan) for row, waited in observed if (plan := _plan_transition(row, now, app_settings, waited))]
        if not due:
            db.session.execute(_WRITE_NOTHING)
            db.session.commit()
        groups, enqueued = _group(settle_expiries(due)), list[int]()
        while groups:
            enqueued += _apply(groups.pop(), now)
            if self._clock() >= give_up_at:
                break
        if not groups:
            self._advance(rows, now)
        self.is_behind = bool(groups) or self._after != _START
        return enqueued

    def _advance(self, rows: Sequence[WaitingRow], now: datetime) -> None:
        """Go on after this page. After the last one, end the round, and forget all rows that no longer wait.

        A round also ends where the rows have changed since it began. Rows that change faster than a slow pass reads
        them would otherwise keep it from coming back to the others.
        """
        self._seen.update(identify(row) for row in rows)
        is_last = len(rows) < PAGE_SIZE
        if not is_last and not self._round_began_at < rows[-1].updated_at <= now:
            self._after = rows[-1].updated_at, rows[-1].id
            return
        if is_last:
            self._wait_tracker.forget_others(self._seen)
        self._after, self._seen = _START, set()


@dataclass
class _Group:
    """Rows for which one statement does the same."""

    planned: PlannedTransition
    rows: list[WaitingRow] = field(default_factory=list)


def _group(settled: Sequence[tuple[WaitingRow, PlannedTransition]]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for row, planned in settled:
        groups.setdefault(repr(planned), _Group(planned)).rows.append(row)
    return list(groups.values())


def _apply(group: _Group, now: datetime) -> list[int]:
    """Apply a transition to the rows that are as they were, commit, and return the ids to enqueue."""
    transition, seen = group.planned.transition, [(row.id, row.updated_at) for row in group.rows]
    applied = apply_to_unchanged(transition, seen, now, group.planned.columns)
    db.session.commit()
    for delivery_id in applied:
        log.info("delivery recovered", extra={"delivery": delivery_id, "transition": transition.name})
    return applied if transition in (RESUME, REQUEUE) else []


def _plan_transition(
    row: WaitingRow, now: datetime, app_settings: AppSettings, waited: Waited
) -> PlannedTransition | None:
    """Return the transition that is due for a row, or None. Both clocks time it, and the earlier one counts."""
    policy = find_retry_policy(row.event_type, app_settings)
    if policy is None:
        return None
    end = plan_end(row, now, policy, waited)
    if end is not None or row.attempt_started_at is not None:
        return end
    waiting = max(now - row.updated_at, waited.unchanged)
    if row.send_after is not None and row.status is DeliveryStatus.DEFERRED:
        return PlannedTransition(RESUME) if waiting >= row.send_after - row.updated_at else None
    return PlannedTransition(REQUEUE) if waiting >= REQUEUE_AFTER else None


def _list_waiting(now: datetime, app_settings: AppSettings, after: _Position) -> list[WaitingRow]:
    """Fetch unfinished test sends, and due real alerts if this installation sends real alerts."""
    real_alerts = find_retry_policy("any alert", app_settings)
    parameters = {"now": now, "changed_at": after[0], "delivery_id": after[1]}
    if real_alerts is not None:
        parameters["over"] = now - real_alerts.time_limit
    rows = db.session.connection().execute(_select_waiting(real_alerts is not None), parameters)
    return [WaitingRow._make(row) for row in rows]


@cache
def _select_waiting(with_real_alerts: bool) -> Select[*tuple[Any, ...]]:
    is_recoverable = AlertDelivery.event_type == TEST_EVENT
    if with_real_alerts:
        # Skips alerts deferred for hours: there can be very many.
        is_recoverable |= or_(
            AlertDelivery.status == DeliveryStatus.QUEUED,
            AlertDelivery.send_after <= bindparam("now"),
            AlertDelivery.created_at <= bindparam("over"),
        )
    key = tuple_(AlertDelivery.updated_at, AlertDelivery.id)
    is_later = key > tuple_(bindparam("changed_at", type_=UtcDateTime), bindparam("delivery_id"))
    # The first condition is the one that an index serves.
    is_after = (AlertDelivery.updated_at >= bindparam("changed_at", type_=UtcDateTime)) & is_later
    waiting = select(*WAITING_COLUMNS).where(IS_WAITING, is_recoverable, is_after)
    return waiting.order_by(AlertDelivery.updated_at, AlertDelivery.id).limit(PAGE_SIZE)
