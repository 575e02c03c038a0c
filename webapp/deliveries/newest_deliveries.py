"""The newest deliveries of destinations: subqueries for other queries, and what they are fetched with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    select,
)
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.expression import SQLColumnExpression

from webapp.database.query_plans import PLAN_ONCE
from webapp.deliveries.queries import IS_TEST_SEND, NEWEST_FIRST, is_test_send_of
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, PlannedTest
from webapp.models.id_list import IsOneOf
from webapp.models.inline_value import inline
from webapp.models.sorted_equality import SortedEquality

Value = TypeVar("Value")
ColumnOf = SQLColumnExpression[Value]

# For subqueries. Without knowing the limit, PostgreSQL expects many rows, and plans the statement anew each time.
ONE = inline(1)

_IS_DRILL = AlertDelivery.drill.is_not(None)

# The deliveries of an outer query's destination, for `newest_id_subquery`.
_IS_OF_OUTER = (
    AlertDelivery.workspace_id == AlertDestination.workspace_id,
    SortedEquality(AlertDelivery.alert_destination_id, AlertDestination.id),
)


def newest_test_id_subquery() -> ScalarSelect[int]:
    """Return the subquery for the id of a destination's newest test send."""
    return newest_test_subquery(AlertDelivery.id)


def newest_test_subquery(column: ColumnOf[Value]) -> ScalarSelect[Value]:
    """Return the subquery for a column of a destination's newest test send."""
    return _newest_subquery(column, *_IS_OF_OUTER, IS_TEST_SEND)


def select_newest_tests(column: ColumnOf[Value]) -> Select[Value]:
    """Return the query for a column of a destination's test sends, newest first, as a part of a subquery."""
    return _select_newest(column, *_IS_OF_OUTER, IS_TEST_SEND)


def newest_accepted_subquery(column: ColumnOf[Value]) -> ScalarSelect[Value]:
    """Return the subquery for a column of a destination's newest delivery that its receiver accepted."""
    # Both databases walk the partial index of accepted deliveries, once per destination.
    is_accepted = AlertDelivery.status == inline(DeliveryStatus.SENT)
    return _newest_subquery(column, AlertDelivery.alert_destination_id == AlertDestination.id, is_accepted)


def newest_drill_id_subquery(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the subquery for the id of a destination's newest drill that meets the conditions."""
    return newest_drill_subquery(AlertDelivery.id, *conditions)


def newest_drill_subquery(column: ColumnOf[Value], *conditions: ColumnElement[bool]) -> ScalarSelect[Value]:
    """Return the subquery for a column of a destination's newest drill that meets the conditions."""
    return _newest_subquery(column, AlertDelivery.alert_destination_id == AlertDestination.id, _IS_DRILL, *conditions)


def newest_id_subquery(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the subquery for the id of the newest delivery that meets the conditions, for each destination."""
    return _newest_subquery(AlertDelivery.id, *conditions)


def _newest_subquery(column: ColumnOf[Value], *conditions: ColumnElement[bool]) -> ScalarSelect[Value]:
    # A correlated LIMIT 1 walks an index once per destination; window functions would read every delivery.
    return _select_newest(column, *conditions).limit(ONE).scalar_subquery()


def _select_newest(column: ColumnOf[Value], *conditions: ColumnElement[bool]) -> Select[Value]:
    ordered = select(column).where(*conditions).order_by(AlertDelivery.alert_destination_id.desc(), *NEWEST_FIRST)
    return ordered.correlate(AlertDestination)


# Statements of pages and polls are built once: building one takes longer than executing it.
_DESTINATIONS_WITH_NEWEST_TEST = (
    select(AlertDestination, AlertDelivery)
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.deleted_at.is_(None), AlertDestination.id.in_(bindparam("destination_ids", expanding=True)))
)
_NEWEST_TEST = (
    select(AlertDelivery)
    .join(AlertDestination, AlertDelivery.id == newest_test_id_subquery())
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.deleted_at.is_(None), AlertDestination.id == bindparam("destination_id"))
)
_NEWEST_TESTS = (
    select(
        *(AlertDestination.id, AlertDelivery.id, AlertDelivery.created_at, AlertDelivery.updated_at),
        *(AlertDelivery.status, PlannedTest.due_at),
    )
    .select_from(AlertDestination)
    .outerjoin(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .outerjoin(
        PlannedTest,
        and_(PlannedTest.alert_destination_id == AlertDestination.id, PlannedTest.ended_at.is_(None)),
    )
    .where(IsOneOf(AlertDestination.id, "destination_ids"))
    .execution_options(**{PLAN_ONCE: True})
)
_NEWEST_DRILLS = select(AlertDestination.id, newest_drill_id_subquery()).where(
    IsOneOf(AlertDestination.id, "destination_ids")
)


@dataclass(frozen=True)
class NewestTest:
    """What decides about the next test send of a destination: its newest one."""

    delivery_id: int
    created_at: datetime
    updated_at: datetime
    status: DeliveryStatus


def list_newest_tests(destination_ids: Sequence[int]) -> tuple[dict[int, NewestTest], dict[int, datetime]]:
    """Return the newest test sends of these destinations, and when their planned tests that wait are due.

    Both by destination. One query, however many deliveries.
    """
    rows = db.session.connection().execute(_NEWEST_TESTS, {"destination_ids": destination_ids}).all()
    newest = {row[0]: NewestTest(*row[1:5]) for row in rows if row[1] is not None}
    return newest, {row[0]: row[5] for row in rows if row[5] is not None}


def list_newest_drills(destination_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the id of the newest drill of each of these destinations, None if it had none. One query."""
    rows = db.session.execute(_NEWEST_DRILLS, {"destination_ids": destination_ids})
    return {row[0]: row[1] for row in rows}


def list_with_newest_test(destination_ids: Sequence[int]) -> list[Row[AlertDestination, AlertDelivery | None]]:
    """Fetch these destinations, in this order, each with its newest test send: one query, however many deliveries."""
    rows = db.session.execute(_DESTINATIONS_WITH_NEWEST_TEST, {"destination_ids": destination_ids}).all()
    order = {destination_id: number for number, destination_id in enumerate(destination_ids)}
    return sorted(rows, key=lambda row: order[row[0].id])


def find_newest_test(destination: AlertDestination) -> AlertDelivery | None:
    """Fetch a destination's newest test send."""
    return db.session.scalars(_NEWEST_TEST, {"destination_id": destination.id}).one_or_none()


def find_newest_drill(destination: AlertDestination) -> AlertDelivery | None:
    """Fetch a destination's newest test send that is a drill."""
    drills = select(AlertDelivery).where(AlertDelivery.alert_destination_id == destination.id, _IS_DRILL)
    return db.session.scalars(drills.order_by(*NEWEST_FIRST).limit(1)).one_or_none()


def find_last_accepted_test(destination: AlertDestination, other_than: int | None) -> AlertDelivery | None:
    """Fetch a destination's newest test send that its receiver accepted. other_than: an id that does not count."""
    accepted = select(AlertDelivery).where(
        is_test_send_of(destination), AlertDelivery.status == inline(DeliveryStatus.SENT)
    )
    if other_than is not None:
        accepted = accepted.where(AlertDelivery.id != other_than)
    return db.session.scalars(accepted.order_by(*NEWEST_FIRST).limit(1)).one_or_none()
