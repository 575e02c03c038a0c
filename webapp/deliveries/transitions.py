"""The life of a delivery: where it can stand, every change there is, and the one function that makes them.

Each change is one conditional update, so none is lost or made twice, and what comes late changes nothing. The database
holds test sends to the same list (migration 0004). Drawn in docs/life-of-a-delivery.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from webapp.deliveries.completion_events import CompletionEvent, publish_after_commit
from webapp.extensions import db
from webapp.failures import Code, describe
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus

LOST_AFTER = timedelta(seconds=20)
"""An attempt that has gone on for longer than this has lost its worker: the way out ends each one within 8 s."""


class State(StrEnum):
    """Where a delivery stands: its status, but `queued` is two, told apart by `attempt_started_at`."""

    WAITING = "waiting"
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPPRESSED = "suppressed"


_ID = "delivery_id"
_QUEUED = AlertDelivery.status == DeliveryStatus.QUEUED
_NO_ATTEMPT = AlertDelivery.attempt_started_at.is_(None)

IS_UNCLAIMED = _QUEUED & _NO_ATTEMPT

_CONDITIONS = {
    State.WAITING: IS_UNCLAIMED,
    State.SENDING: _QUEUED & ~_NO_ATTEMPT,
    State.DEFERRED: AlertDelivery.status == DeliveryStatus.DEFERRED,
}
"""What the database asks to know whether a row stands there. The other stages are ends: no change begins at one."""


@dataclass(frozen=True)
class Transition:
    """One step in a delivery's life. by: who makes it. needs: what has to be true besides where the row stands."""

    name: str
    sources: tuple[State, ...]
    target: State
    by: str
    needs: str


CLAIM = Transition("claim", (State.WAITING,), State.SENDING, "worker", "the destination is as it was at the press")
REFUSE = Transition("refuse", (State.WAITING,), State.FAILED, "worker", "the settings cannot be used")
CANCEL = Transition("cancel", (State.WAITING,), State.CANCELED, "worker", "the destination changed, or a newer press")
ACCEPT = Transition("accept", (State.SENDING,), State.SENT, "worker", "the far end's yes to this very attempt")
FAIL = Transition("fail", (State.SENDING,), State.FAILED, "worker", "a failure that no further attempt would mend")
DEFER = Transition(
    "defer", (State.SENDING,), State.DEFERRED, "worker", "nothing was delivered, attempts and time are left"
)
RESUME = Transition("resume", (State.DEFERRED,), State.WAITING, "recovery", "its time has come")
REQUEUE = Transition("remind", (State.WAITING,), State.WAITING, "recovery", "no worker has touched it for 10 s")
EXPIRE = Transition("give up", (State.WAITING, State.DEFERRED), State.FAILED, "recovery", "its patience is over")
MARK_LOST = Transition("lose", (State.SENDING,), State.FAILED, "recovery", "no outcome for 20 s")
SUPERSEDE = Transition(
    "supersede", (State.WAITING, State.DEFERRED), State.CANCELED, "press", "a newer press is accepted"
)
FAIL_UNQUEUED = Transition("drop", (State.WAITING,), State.FAILED, "press", "the queue did not take it")

TRANSITIONS = (CLAIM, REFUSE, CANCEL, ACCEPT, FAIL, DEFER, RESUME, REQUEUE, EXPIRE, MARK_LOST, SUPERSEDE, FAIL_UNQUEUED)
"""All of it. A press begins a life, as waiting; `suppressed` is written by other programs alone."""


def apply_transition(
    transition: Transition,
    delivery_id: int,
    now: datetime,
    only_if: ColumnElement[bool] | None = None,
    seen: Mapping[str, Any] = MappingProxyType({}),
    **facts: Any,
) -> bool:
    """Apply a transition if the row is still in one of its sources. Returns whether it was. The caller commits.

    only_if: what else has to be true of the row: put together once, with parameters. seen: their values, by name.
    facts: columns to set beside those that the target stands for, each with a plain value.
    """
    values = {"updated_at": now, **_columns_for(transition.target, now), **facts}
    statement = _build_statement(transition.sources, only_if, tuple(values))
    row = db.session.execute(statement, {_ID: delivery_id, **seen, **values}).one_or_none()
    if row is not None and transition.target not in _CONDITIONS:
        seconds = (now - row.created_at).total_seconds()
        ending = CompletionEvent(
            delivery_id, transition.name, row.channel, transition.target, row.last_error_code, seconds
        )
        publish_after_commit(db.session(), ending)
    return row is not None


def error_columns(code: Code, message: str | None = None) -> dict[str, Any]:
    """Return the facts of a row that did not go through: the code, and a sentence about it."""
    return {"last_error_code": code.value, "last_error_message": message or describe(code)}


_CHANNEL = (
    select(AlertDestination.type)
    .where(AlertDestination.id == AlertDelivery.alert_destination_id)
    .correlate(AlertDelivery)
    .scalar_subquery()
    .label("channel")
)


@lru_cache(maxsize=64)
def _build_statement(
    sources: tuple[State, ...], only_if: ColumnElement[bool] | None, columns: tuple[str, ...]
) -> ReturningUpdate[Any]:
    """Return the update that sets these columns. To put it together takes longer than to execute it."""
    statement = update(AlertDelivery).where(
        AlertDelivery.id == bindparam(_ID), or_(*(_CONDITIONS[one] for one in sources))
    )
    if only_if is not None:
        statement = statement.where(only_if)
    setting = statement.values({column: bindparam(column) for column in columns})
    telling = setting.returning(AlertDelivery.created_at, AlertDelivery.last_error_code, _CHANNEL)
    return telling.execution_options(synchronize_session=False)


def _columns_for(stage: State, now: datetime) -> dict[str, Any]:
    status = DeliveryStatus.QUEUED if stage in (State.WAITING, State.SENDING) else DeliveryStatus(stage)
    return {
        "status": status,
        "attempt_started_at": now if stage is State.SENDING else None,
        "send_after": None,
    }
