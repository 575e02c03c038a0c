"""Move on what waits: try deferred rows again, hand forgotten rows to the queue, end what nobody will end.

Runs every second beside each worker. It trusts the rows alone, so it also mends what a lost or emptied queue forgot.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import load_only

from webapp.deliveries.attempts import add_lost_attempt
from webapp.deliveries.retry_policy import TEST_SENDS, Schedule, find_schedule
from webapp.deliveries.transitions import GIVE_UP, LOSE, LOST_AFTER, REMIND, RESUME, Change, cause, make_change
from webapp.deliveries.wait_tracker import Sightings
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.settings import Config

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=10)
"""A queued row untouched for this long is handed to the queue again; the claim still lets it be sent only once."""

AT_ONCE = 500
"""Rows moved on in one pass, those first that have waited longest; the others have their turn a second later."""

_LOOKED_AT = load_only(
    AlertDelivery.event_type,
    AlertDelivery.status,
    AlertDelivery.created_at,
    AlertDelivery.updated_at,
    AlertDelivery.send_after,
    AlertDelivery.attempt_started_at,
    AlertDelivery.attempt_count,
)


@dataclass(frozen=True)
class Move:
    """What becomes of a row whose time has come."""

    change: Change
    facts: dict[str, Any] = field(default_factory=dict)


def recover(now: datetime, config: Config, sightings: Sightings) -> list[int]:
    """Move on every row whose time has come, and return the ids to enqueue. Several workers share the rows.

    sightings: kept from one pass to the next.
    """
    rows = _list_waiting(now, config)
    sightings.note(rows)
    due = [(row, move) for row in rows if (move := _plan_move(row, now, config, sightings))]
    moved = [(row.id, move.change) for row, move in due[:AT_ONCE] if _make(move, row, now)]
    db.session.commit()
    for delivery_id, change in moved:
        log.info("recovered", extra={"delivery": delivery_id, "change": change.name})
    return [delivery_id for delivery_id, change in moved if change in (RESUME, REMIND)]


def is_overdue(row: AlertDelivery, now: datetime, config: Config) -> bool:
    """Whether a row waits although its patience is over by the wall clock, so that a worker should have ended it."""
    schedule = find_schedule(row.event_type, config)
    is_waiting = row.status in (DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED)
    return is_waiting and schedule is not None and now - row.created_at >= schedule.patience


def list_overdue(workspace_id: int, now: datetime) -> Sequence[AlertDelivery]:
    """Fetch the test sends of a workspace that wait although their patience is over."""
    key = {"workspace_id": workspace_id, "until": now - TEST_SENDS.patience}
    return db.session.scalars(_OVERDUE, key).all()


# Every list asks for them, so it is put together once.
_OVERDUE = select(AlertDelivery).where(
    IS_WAITING,
    AlertDelivery.event_type == TEST_EVENT,
    AlertDelivery.workspace_id == bindparam("workspace_id"),
    AlertDelivery.created_at <= bindparam("until"),
)


def end_overdue(row: AlertDelivery, now: datetime) -> bool:
    """End an overdue row where no worker is there to do it. Returns whether it has ended now."""
    has_ended = _make(_end(row), row, now)
    db.session.commit()
    return has_ended


def _plan_move(row: AlertDelivery, now: datetime, config: Config, sightings: Sightings) -> Move | None:
    """Say what becomes of a waiting row by itself, or None if its time has not come.

    An attempt's time is told by the steady clock alone: a worker in the middle of a send must not be given up on
    because the wall clock was set. What only waits may be ended or tried by either clock, whichever is earlier.
    """
    schedule = find_schedule(row.event_type, config)
    if schedule is None:
        return None
    if row.attempt_started_at is not None:
        return _end(row) if sightings.unchanged(row) >= LOST_AFTER else None
    if is_overdue(row, now, config) or sightings.known(row) >= schedule.patience:
        return _end(row)
    waited = max(now - row.updated_at, sightings.unchanged(row))
    if row.send_after is not None and row.status is DeliveryStatus.DEFERRED:
        return Move(RESUME) if waited >= row.send_after - row.updated_at else None
    return Move(REMIND) if waited >= FORGOTTEN_AFTER else None


def _end(row: AlertDelivery) -> Move:
    if row.attempt_started_at is not None:
        return Move(LOSE, cause(Code.WORKER_LOST) | {"attempts": add_lost_attempt(row, row.attempt_started_at)})
    # After an attempt, what happened last is the reason, and it stands in the row.
    return Move(GIVE_UP, cause(Code.NOT_STARTED) if row.attempt_count == 0 else {})


def _make(move: Move, row: AlertDelivery, now: datetime) -> bool:
    return make_change(move.change, row.id, now, _IS_UNMOVED, {"last_move": row.updated_at}, **move.facts)


_IS_UNMOVED = AlertDelivery.updated_at == bindparam("last_move")


def _list_waiting(now: datetime, config: Config) -> Sequence[AlertDelivery]:
    """Fetch every test send that waits, and the real alerts whose time has come, if they are ours to send."""
    waiting = select(AlertDelivery).where(IS_WAITING, _is_ours(now, find_schedule("any alert", config)))
    oldest_first = waiting.order_by(AlertDelivery.updated_at).options(_LOOKED_AT)
    return db.session.scalars(oldest_first.execution_options(populate_existing=True)).all()


def _is_ours(now: datetime, real_alerts: Schedule | None) -> ColumnElement[bool]:
    is_test = AlertDelivery.event_type == TEST_EVENT
    if real_alerts is None:
        return is_test
    # Of those that are deferred for hours there can be very many.
    is_due = or_(
        AlertDelivery.status == DeliveryStatus.QUEUED,
        AlertDelivery.send_after <= now,
        AlertDelivery.created_at <= now - real_alerts.patience,
    )
    return is_test | is_due
