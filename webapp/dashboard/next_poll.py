"""When a fragment polls next, and whether the request of a test's fragment waits for its outcome."""

from datetime import datetime
from typing import TypeGuard

from webapp.app_state import app_state
from webapp.dashboard.planned_test_status import PlanStatus
from webapp.dashboard.poll_interval import choose_interval, choose_planned_interval, is_wait_worthwhile
from webapp.deliveries.badge import Badge, badge_for
from webapp.deliveries.delivery_rows import AnyDelivery


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
