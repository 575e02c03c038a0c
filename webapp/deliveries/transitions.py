"""Every transition between the states of a delivery, and the functions that apply one.

A transition is one conditional update, so a late or repeated one changes nothing. The database enforces the same list
for test sends (migration 0004). See the diagram in docs/delivery-states.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, bindparam, select, tuple_, update
from sqlalchemy.sql.dml import ReturningUpdate

from webapp.database.keyset_pages import check_by_row
from webapp.deliveries.completion_events import CompletionEvent, publish_after_commit
from webapp.deliveries.problem_opening import is_reported, note_failure
from webapp.deliveries.states import State, is_final, is_in, list_state_columns
from webapp.extensions import db
from webapp.failures import Code, describe
from webapp.models import AlertDelivery, AlertDestination

# An attempt that runs longer than this has lost its worker: the outbound client ends every attempt within 8 s.
LOST_AFTER = timedelta(seconds=20)

_ID, _IDS, _SEEN, _LAST_CHANGE = "delivery_id", "delivery_ids", "seen", "last_change"


@dataclass(frozen=True)
class Transition:
    """A step from one of several source states to a target state.

    actor: who applies it: `worker`, `recovery` or `press`. condition: what must be true besides the source state.
    """

    name: str
    sources: tuple[State, ...]
    target: State
    actor: str
    condition: str


CLAIM = Transition("claim", (State.WAITING,), State.SENDING, "worker", "the destination is unchanged since the press")
REFUSE = Transition("refuse", (State.WAITING,), State.FAILED, "worker", "the settings cannot be used")
CANCEL = Transition(
    "cancel", (State.WAITING,), State.CANCELED, "worker", "the destination changed, or a newer press exists"
)
ACCEPT = Transition("accept", (State.SENDING,), State.SENT, "worker", "the receiver accepted this attempt")
FAIL = Transition("fail", (State.SENDING,), State.FAILED, "worker", "the attempt failed and is not retried")
DEFER = Transition(
    "defer", (State.SENDING,), State.DEFERRED, "worker", "nothing was delivered; attempts and time remain"
)
RESUME = Transition("resume", (State.DEFERRED,), State.WAITING, "recovery", "the next attempt is due")
REQUEUE = Transition("requeue", (State.WAITING,), State.WAITING, "recovery", "no worker claimed it for 10 s")
EXPIRE = Transition("expire", (State.WAITING, State.DEFERRED), State.FAILED, "recovery", "its time limit has passed")
MARK_LOST = Transition("mark lost", (State.SENDING,), State.FAILED, "recovery", "no result for 20 s")
SUPERSEDE = Transition(
    "supersede", (State.WAITING, State.DEFERRED), State.CANCELED, "press", "a newer press is accepted"
)
FAIL_UNQUEUED = Transition("fail unqueued", (State.WAITING,), State.FAILED, "press", "the queue did not accept it")

# Complete. A press creates a row as `waiting`; only other programs write `suppressed`.
TRANSITIONS = (CLAIM, REFUSE, CANCEL, ACCEPT, FAIL, DEFER, RESUME, REQUEUE, EXPIRE, MARK_LOST, SUPERSEDE, FAIL_UNQUEUED)


def apply_transition(
    transition: Transition,
    delivery_id: int,
    now: datetime,
    only_if: ColumnElement[bool] | None = None,
    parameters: Mapping[str, Any] = MappingProxyType({}),
    **columns: Any,
) -> bool:
    """Apply a transition if the row is still in one of its source states. Returns whether it was. The caller commits.

    A failure that somebody has to be told about opens the destination's problem in the same transaction.
    only_if: a further condition on the row. Build it once, with bind parameters: statements are cached by it.
    parameters: the values of those bind parameters.
    columns: plain values to store beside the columns that the target state implies.
    """
    values = list_columns(transition, now, columns)
    statement = _build_statement(transition.sources, only_if, tuple(values))
    row = _execute(statement, {_ID: delivery_id, **parameters, **values}).one_or_none()
    if row is not None:
        publish_completion(transition, delivery_id, row, row.last_error_code, now)
    return row is not None


def apply_if_unchanged(
    transition: Transition, delivery_id: int, last_change: datetime, now: datetime, columns: Mapping[str, Any]
) -> bool:
    """Apply a transition if the row has not changed since it was read. Returns whether it has not. The caller commits.

    last_change: the time of its last change when it was read. Waits for somebody else who is changing the row.
    """
    return apply_transition(transition, delivery_id, now, _IS_UNCHANGED, {_LAST_CHANGE: last_change}, **columns)


def end_each(transition: Transition, delivery_ids: Sequence[int], now: datetime, code: Code) -> None:
    """Apply a transition to those of these deliveries that are still in one of its source states, with this code.

    One statement. The caller commits.
    """
    _apply_to_each(transition, {_IDS: delivery_ids}, now, error_columns(code))


def apply_to_unchanged(
    transition: Transition, seen: Sequence[tuple[int, datetime]], now: datetime, columns: Mapping[str, Any]
) -> list[int]:
    """Apply a transition to those deliveries that have not changed since they were read, and return their ids.

    seen: the id of each, and the time of its last change. Rows that somebody else is changing are left out, instead of
    waiting for them. One statement. The caller commits.
    """
    found = {_IDS: [delivery_id for delivery_id, _ in seen], _SEEN: seen}
    return _apply_to_each(transition, found, now, columns, only_unchanged=True)


def _apply_to_each(
    transition: Transition,
    found: Mapping[str, Any],
    now: datetime,
    columns: Mapping[str, Any],
    *,
    only_unchanged: bool = False,
) -> list[int]:
    values = list_columns(transition, now, columns)
    statement = _build_group_statement(transition.sources, tuple(values), only_unchanged)
    rows = _execute(statement, {**found, **values}).all()
    # In the order of destinations, as whoever else changes several problems: no two wait for each other.
    for row in sorted(rows, key=lambda row: row.alert_destination_id):
        publish_completion(transition, row.id, row, row.last_error_code, now)
    return [row.id for row in rows]


def _execute(statement: ReturningUpdate[Any], parameters: Mapping[str, Any]) -> CursorResult[Any]:
    """Execute an update. On the connection: the session would take three times as long, to look for its own objects."""
    return db.session.connection().execute(statement, parameters)


def list_columns(transition: Transition, now: datetime, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return all columns that a transition sets, with their values: `columns`, and those of its target state."""
    return {"updated_at": now, **list_state_columns(transition.target, now), **columns}


def publish_completion(
    transition: Transition, delivery_id: int, row: Row[Any], code: str | None, now: datetime
) -> None:
    """Publish that a delivery has ended, and open a problem if its failure is reported. Does nothing before its end.

    Both happen when the caller commits. row: has the columns `COMPLETION_COLUMNS`. code: the new error code.
    """
    if not is_final(transition.target):
        return
    seconds = (now - row.created_at).total_seconds()
    completion = CompletionEvent(
        delivery_id, row.event_type, transition.name, row.channel, transition.target, code, seconds
    )
    publish_after_commit(db.session(), completion)
    if transition.target is State.FAILED and is_reported(row.event_type, row.drill, code):
        note_failure(delivery_id, row.alert_destination_id, now)


def error_columns(code: Code, message: str | None = None) -> dict[str, Any]:
    """Return the error columns: the code, and the message or else the code's own sentence."""
    return {"last_error_code": code.value, "last_error_message": message or describe(code)}


_CHANNEL = (
    select(AlertDestination.type)
    .where(AlertDestination.id == AlertDelivery.alert_destination_id)
    .correlate(AlertDelivery)
    .scalar_subquery()
    .label("channel")
)

# What `publish_completion` needs to know about a row.
COMPLETION_COLUMNS = (
    AlertDelivery.alert_destination_id,
    AlertDelivery.created_at,
    AlertDelivery.event_type,
    AlertDelivery.drill,
    _CHANNEL,
)


@lru_cache(maxsize=64)
def _build_statement(
    sources: tuple[State, ...], only_if: ColumnElement[bool] | None, columns: tuple[str, ...]
) -> ReturningUpdate[Any]:
    """Return the update that sets these columns. Cached because building it takes longer than executing it."""
    conditions = [AlertDelivery.id == bindparam(_ID), is_in(sources)]
    return _build_update(conditions if only_if is None else [*conditions, only_if], columns)


# Whether one row, or each of several, has not changed since it was read. Several are checked row by row: many may have
# changed at the same time, and an index would find all of them each time.
_IS_UNCHANGED = AlertDelivery.updated_at == bindparam(_LAST_CHANGE)
_ARE_UNCHANGED = check_by_row(tuple_(AlertDelivery.id, AlertDelivery.updated_at).in_(bindparam(_SEEN, expanding=True)))


@lru_cache(maxsize=16)
def _build_group_statement(
    sources: tuple[State, ...], columns: tuple[str, ...], only_unchanged: bool
) -> ReturningUpdate[Any]:
    """The same for several deliveries, which are locked in the order of their ids, as everywhere."""
    is_source = is_in(sources)
    found = select(AlertDelivery.id).where(AlertDelivery.id.in_(bindparam(_IDS, expanding=True)), is_source)
    found = found.where(_ARE_UNCHANGED) if only_unchanged else found
    locked = found.order_by(AlertDelivery.id).with_for_update(key_share=True, skip_locked=only_unchanged)
    return _build_update([AlertDelivery.id.in_(locked), is_source], columns)


def _build_update(conditions: Sequence[ColumnElement[bool]], columns: tuple[str, ...]) -> ReturningUpdate[Any]:
    updated = update(AlertDelivery).where(*conditions).values({column: bindparam(column) for column in columns})
    return updated.returning(AlertDelivery.id, AlertDelivery.last_error_code, *COMPLETION_COLUMNS)
