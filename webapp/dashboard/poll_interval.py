"""Chooses how often a fragment polls while something waits, and how often an open page refreshes, within a limit."""

import heapq
import threading
import time
from datetime import datetime, timedelta
from typing import TypeGuard

from webapp.app_state import app_state
from webapp.dashboard.planned_test_status import PlanStatus
from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.models import DeliveryStatus
from webapp.queue.outcome_waits import LONGEST_WAIT

# Seconds from a response to the next poll.
INTERVALS = (0.05, 0.25, 1.0, 2.0, 5.0, 10.0)

# Upper limits of a test's age for each interval but the last.
AGE_STEPS = (
    timedelta(milliseconds=500),
    timedelta(seconds=3),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)

# The same while a planned test is not yet due: near its time and otherwise. Someone may cancel it.
PLANNED_INTERVALS = (1.0, 10.0)

# Upper limits of the number of Pending tests in the workspace for each interval but the last. After the first half
# second, all badges of one list together poll about ten times a second, whatever their number.
PENDING_STEPS = (2, 3, 8, 20, 50)

# Below this age, the requests of a test that waits alone wait for its outcome (`webapp.queue.outcome_waits`). Most
# receivers answer before; after it, polls once a second are soon enough.
WAIT_AGE = timedelta(seconds=3)

# Seconds from a response to such a request: it should wait already when a receiver that answers at once has answered.
# What it costs in polls: it reads the row before and after the wait.
WAIT_INTERVAL, WAIT_COST = 0.01, 2.0

# Polls per second that one process allows: about a fifth of what it can serve.
POLLS_PER_SECOND = 50.0

# Seconds from a page's refresh to its next one: usually, and at most.
REFRESH_INTERVAL, LONGEST_REFRESH = 60.0, 300.0

# What a refresh costs, in polls. Measured: an unchanged list of 100 destinations costs 1.2 polls, a changed one 6.
REFRESH_COST = 2.0


class PollBudget:
    """Limits the polls per second of one process.

    budget: polls per second. If the open pages request more, all intervals are stretched by the same factor, so that
    the newest tests still poll fastest. No interval exceeds the slowest one of its kind: clients that poll without
    waiting could otherwise slow everyone down without limit.
    """

    def __init__(self, budget: float = POLLS_PER_SECOND) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._scheduled: list[tuple[float, float]] = []  # (due time, requested polls per second)
        self._requested_rate = 0.0

    def next_interval(self, requested: float) -> float:
        """Return the seconds until a fragment may poll again. requested: seconds without the limit."""
        return self._schedule(requested, INTERVALS[-1], 1.0)

    def next_wait(self) -> float:
        """Return the seconds until a fragment may poll again whose request then waits."""
        interval = self._schedule(LONGEST_WAIT, INTERVALS[-1], WAIT_COST)
        return interval if interval > LONGEST_WAIT else WAIT_INTERVAL

    def next_refresh(self) -> float:
        """Return the seconds until an open page may refresh again."""
        return self._schedule(REFRESH_INTERVAL, LONGEST_REFRESH, REFRESH_COST)

    def _schedule(self, requested: float, longest: float, cost: float) -> float:
        rate = cost / requested
        with self._lock:
            now = time.monotonic()
            while self._scheduled and self._scheduled[0][0] <= now:
                self._requested_rate -= heapq.heappop(self._scheduled)[1]
            self._requested_rate += rate
            interval = min(requested * max(1.0, self._requested_rate / self._budget), longest)
            heapq.heappush(self._scheduled, (now + interval, rate))
            return interval


def next_poll_ms(
    newest: AnyDelivery | None, plan: PlanStatus | None, now: datetime, pending: int, *, waits: bool = False
) -> int | None:
    """Return the milliseconds until a fragment may poll again, or None if nothing waits.

    newest: the test send that the fragment shows. pending: the number of waiting test sends in the workspace.
    waits: whether the fragment's request calls `await_outcome`.
    """
    if newest is not None and badge_for(newest.status) is Badge.PENDING:
        if waits and is_awaited(newest, now, pending) and app_state().outcome_waits.has_place():
            return round(1000 * app_state().poll_budget.next_wait())
        interval = choose_interval(now - newest.updated_at, pending)
    elif plan is not None:
        interval = choose_planned_interval(plan.due_at - now)
    else:
        return None
    return round(1000 * app_state().poll_budget.next_interval(interval))


def is_awaited(newest: AnyDelivery | None, now: datetime, pending: int) -> TypeGuard[AnyDelivery]:
    """Return whether the requests of a fragment that shows this test send should wait for its outcome."""
    return newest is not None and is_wait_worthwhile(newest.status, now - newest.updated_at, pending)


def choose_interval(age: timedelta, pending: int) -> float:
    """Return the seconds until a test's fragment should poll again, before the process's budget is applied.

    age: time since the test's row last changed. pending: test sends of its workspace that are waiting.
    """
    by_age = sum(age >= limit for limit in AGE_STEPS)
    by_pending = sum(pending > limit for limit in PENDING_STEPS)
    return INTERVALS[max(by_age, by_pending)]


def is_wait_worthwhile(status: DeliveryStatus, age: timedelta, pending: int) -> bool:
    """Return whether the requests of a test's fragment should wait for its outcome. Arguments as `choose_interval`.

    Not while a retry is planned, which comes seconds later.
    """
    return status is DeliveryStatus.QUEUED and age < WAIT_AGE and pending <= 1


def choose_planned_interval(left: timedelta) -> float:
    """Return the seconds until the fragment of a planned test should poll again, like `choose_interval`.

    left: until it is due; negative if it is late.
    """
    shortest, longest = PLANNED_INTERVALS
    return min(max(left.total_seconds(), shortest), longest)
