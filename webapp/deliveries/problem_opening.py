"""Opens the problem of a destination, in the transaction that records why. `webapp.notices` closes it."""

from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import and_, bindparam, case, event, literal, select
from sqlalchemy.orm import Session

from webapp.deliveries.present_settings import may_be_of_present_settings
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination, DestinationProblem, DrillNumber, ProblemKind
from webapp.models.problem import IS_OPEN
from webapp.models.types import UtcDateTime, closed_set
from webapp.models.upsert import Upsert, insert_or_update

_PENDING = "failures of the current transaction"


# With these, Alertcheck failed, and nothing is known about the destination.
_OWN_FAILURES = frozenset({Code.QUEUE_UNAVAILABLE, Code.NOT_STARTED, Code.WORKER_LOST, Code.INTERNAL_ERROR})


def is_reported(event_type: str, drill: DrillNumber | None, code: str | None) -> bool:
    """Return whether the failure of such a delivery is a problem: of a real alert, or of a drill's second test send.

    Whoever presses Send test sees its failure, and a drill's first test send is repeated. A drill at which Alertcheck
    itself failed says nothing about the destination; a real alert is lost whoever failed.
    """
    return event_type != TEST_EVENT or (drill is DrillNumber.SECOND and code not in _OWN_FAILURES)


def note_failure(delivery_id: int, destination_id: int, now: datetime) -> None:
    """Open the problem of a failed delivery's destination, or count one more failure of it, when the caller commits.

    Not if the destination was deleted, disabled or given other settings since the message was requested.
    No transaction waits for a delivery while it holds a problem, and several problems are locked in the order of their
    destinations: otherwise, a worker and recovery could wait for each other.
    """
    db.session().info.setdefault(_PENDING, []).append((destination_id, delivery_id, now))


def note_missing(delivery_id: int, now: datetime) -> None:
    """The same for a message that somebody reported missing. A repeated report about one message counts once."""
    _note(ProblemKind.MISSING, delivery_id, now)


@event.listens_for(db.session, "before_commit")
def _note_failures(session: Session) -> None:
    for _, delivery_id, now in sorted(session.info.pop(_PENDING, ()), key=itemgetter(0)):
        _note(ProblemKind.FAILING, delivery_id, now)


@event.listens_for(db.session, "after_rollback")
def _discard_failures(session: Session) -> None:
    session.info.pop(_PENDING, None)


def _note(kind: ProblemKind, delivery_id: int, now: datetime) -> None:
    statement = _build_upsert(db.engine.dialect.name, has_error=kind is ProblemKind.FAILING)
    db.session.execute(statement, {"problem_kind": kind, "of_delivery": delivery_id, "noted_at": now})


def _list_values(has_error: bool) -> dict[str, Any]:
    """Return the columns of a new problem with their values. has_error: whether the message failed."""
    noted_at = bindparam("noted_at", type_=UtcDateTime)
    values: dict[str, Any] = {
        "workspace_id": AlertDelivery.workspace_id,
        "alert_destination_id": AlertDelivery.alert_destination_id,
        "kind": bindparam("problem_kind", type_=closed_set(ProblemKind)),
        "opened_at": noted_at,
        "delivery_id": AlertDelivery.id,
        "message_at": AlertDelivery.created_at,
        "failed_at": noted_at,
        "failure_count": literal(1),
        "settings_version": AlertDestination.settings_version,
        "attention_at": noted_at,
    }
    if has_error:
        values |= {"error_code": AlertDelivery.last_error_code, "error_message": AlertDelivery.last_error_message}
    return values


@lru_cache
def _build_upsert(_dialect: str, *, has_error: bool) -> Upsert:
    """Return the statement. Cached, because building it takes longer than executing it."""
    values = _list_values(has_error)
    found = (
        select(*(column.label(name) for name, column in values.items()))
        .join(AlertDestination, AlertDestination.id == AlertDelivery.alert_destination_id)
        .where(
            AlertDelivery.id == bindparam("of_delivery"),
            and_(AlertDestination.is_enabled, AlertDestination.deleted_at.is_(None), may_be_of_present_settings()),
        )
    )
    # The table, because the ORM cannot insert what a query with parameters finds.
    table = DestinationProblem.metadata.tables[DestinationProblem.__tablename__]
    inserted = insert_or_update(table).from_select(list(values), found)
    new = inserted.excluded
    is_other = table.c.delivery_id != new.delivery_id
    kept = ("workspace_id", "alert_destination_id", "kind", "opened_at", "failure_count", "attention_at")
    changed = {name: new[name] for name in values if name not in kept}
    return inserted.on_conflict_do_update(
        index_elements=["alert_destination_id", "kind"],
        index_where=IS_OPEN,
        set_=changed | {"failure_count": table.c.failure_count + case((is_other, 1), else_=0)},
    )
