"""Closes the problems that are over, by what the rows of their destinations say. Runs in a worker's maintenance."""

from collections import defaultdict
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from webapp.deliveries.drill_confirmation import UNCONFIRMED_DRILL_ID, confirmation_times
from webapp.deliveries.present_settings import may_be_of_present_settings
from webapp.extensions import db
from webapp.failures import CHECK_ACCEPTED
from webapp.models import (
    TEST_EVENT,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DestinationProblem,
    ProblemEnd,
    ProblemKind,
    Receipt,
)
from webapp.models.database_clock import CLOCK_TOLERANCE
from webapp.models.locking import lock_problems
from webapp.models.problem import IS_OPEN
from webapp.models.types import UtcDateTime

# Problems that are looked at with one statement.
PAGE_SIZE = 100

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def close_problems(now: datetime, after: int = 0) -> int | None:
    """Close those of a page of open problems that are over, and commit. Locks nothing if none is.

    after: the id of the destination after whose problems the page begins. Returns that of the next page; None if this
    was the last one.
    """
    page = db.session.scalars(_PAGE, {_AFTER: after}).all()
    if page:
        _close_over(now, {_AFTER: after, _LAST: page[-1]})
    db.session.commit()
    return page[-1] if len(page) == PAGE_SIZE else None


def _close_over(now: datetime, bounds: dict[str, int]) -> None:
    parameters = confirmation_times(now) | {_SOON: now + CLOCK_TOLERANCE} | bounds
    found: dict[str, list[int]] = defaultdict(list)
    for reason, problem_id in db.session.execute(_OVER, parameters):
        found[reason].append(problem_id)
    if not found:
        return
    lock_problems(DestinationProblem.id.in_({problem_id for ids in found.values() for problem_id in ids}))
    for reason, is_over in _ENDS:
        if found[reason]:
            values = {"closed_at": now, "end_reason": reason, "attention_at": now if reason.is_recovery else None}
            closing = update(DestinationProblem).where(DestinationProblem.id.in_(found[reason]), IS_OPEN, is_over)
            db.session.execute(closing.values(values).execution_options(synchronize_session=False), parameters)


# A failure in the future comes from a clock that was ahead. Then the order of the rows counts.
_SOON = "soon"
_IS_OF_WRONG_CLOCK = DestinationProblem.failed_at > bindparam(_SOON, type_=UtcDateTime)
_IS_NEXT = _IS_OF_WRONG_CLOCK & (AlertDelivery.id > DestinationProblem.delivery_id)

# One time for each problem, by which an index finds the later messages. A choice of two conditions would read every
# message of the destination.
_SINCE = case((_IS_OF_WRONG_CLOCK, literal(LONG_AGO, UtcDateTime)), else_=DestinationProblem.message_at)


_AFTER, _LAST = "after_destination", "last_destination"
_PAGE = (
    select(DestinationProblem.alert_destination_id)
    .where(IS_OPEN, DestinationProblem.alert_destination_id > bindparam(_AFTER))
    .order_by(DestinationProblem.alert_destination_id)
    .limit(PAGE_SIZE)
)
_IS_OF_PAGE = and_(
    DestinationProblem.alert_destination_id > bindparam(_AFTER),
    DestinationProblem.alert_destination_id <= bindparam(_LAST),
)


def _destination(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(AlertDestination.id == DestinationProblem.alert_destination_id, condition)


def _delivery(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that such a message was requested since the one that failed, with the present settings."""
    return exists().where(
        AlertDelivery.workspace_id == DestinationProblem.workspace_id,
        AlertDelivery.alert_destination_id == DestinationProblem.alert_destination_id,
        AlertDelivery.created_at >= _SINCE,
        or_(AlertDelivery.created_at >= DestinationProblem.message_at, _IS_NEXT),
        AlertDestination.id == DestinationProblem.alert_destination_id,
        may_be_of_present_settings(),
        condition,
    )


_IS_UNCONFIRMED = DestinationProblem.kind == ProblemKind.UNCONFIRMED
_IS_LATER = or_(
    _IS_UNCONFIRMED,
    AlertDelivery.id == DestinationProblem.delivery_id,
    AlertDelivery.receipt_at > DestinationProblem.failed_at,
    _IS_NEXT,
)
_WAS_SEEN = (AlertDelivery.event_type == TEST_EVENT) & (AlertDelivery.receipt == Receipt.SEEN) & _IS_LATER
# Whoever answers with a web page or an error has perhaps not accepted the message: only a person knows.
_HAS_TO_BE_CHECKED = func.coalesce(AlertDelivery.last_error_message, "").endswith(CHECK_ACCEPTED)
_WAS_ACCEPTED = (
    (AlertDelivery.status == DeliveryStatus.SENT)
    & ~_HAS_TO_BE_CHECKED
    & or_(AlertDelivery.sent_at > DestinationProblem.failed_at, _IS_NEXT)
    & or_(AlertDelivery.receipt.is_(None), AlertDelivery.receipt != Receipt.MISSING)
)

# While a clock is set back, it is too early for the drill that made the destination unconfirmed.
_IS_OF_PAST = DestinationProblem.opened_at <= bindparam("confirmation_until", type_=UtcDateTime)

# The first one that is true is the reason.
_ENDS: tuple[tuple[ProblemEnd, ColumnElement[bool]], ...] = (
    (ProblemEnd.DELETED, _destination(AlertDestination.deleted_at.is_not(None))),
    (ProblemEnd.DISABLED, _destination(~AlertDestination.is_enabled)),
    (ProblemEnd.SEEN, _delivery(_WAS_SEEN)),
    (ProblemEnd.ACCEPTED, ~_IS_UNCONFIRMED & _delivery(_WAS_ACCEPTED)),
    (
        ProblemEnd.CHANGED,
        _IS_UNCONFIRMED & _destination(AlertDestination.settings_version != DestinationProblem.settings_version),
    ),
    (ProblemEnd.NOT_NEEDED, _IS_UNCONFIRMED & _IS_OF_PAST & _destination(UNCONFIRMED_DRILL_ID.is_(None))),
)


def _select_over(reason: ProblemEnd, is_over: ColumnElement[bool]) -> Select[str, int]:
    return select(literal(reason.value), DestinationProblem.id).where(IS_OPEN, _IS_OF_PAGE, is_over)


# Built once, and one statement instead of one per reason, because a worker executes it every few seconds.
_OVER = union_all(*(_select_over(reason, is_over) for reason, is_over in _ENDS))
