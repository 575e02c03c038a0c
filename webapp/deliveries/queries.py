"""Conditions and queries for a destination's deliveries, whichever is the newest."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased, joinedload

from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination
from webapp.models.inline_value import inline
from webapp.models.reference import ReferenceIn

# The id breaks ties between test sends of the same instant.
NEWEST_FIRST = (AlertDelivery.created_at.desc(), AlertDelivery.id.desc())

IS_TEST_SEND = AlertDelivery.event_type == inline(TEST_EVENT)

# Test sends of the whole installation with the same reference. References are random, so there are one or two.
MAX_SAME_REFERENCE = 1000

# Test sends on the page of a destination.
LISTED_TESTS = 20


def is_delivery_of(destination: AlertDestination | type[AlertDestination]) -> ColumnElement[bool]:
    """Return the condition for a destination's deliveries. The class itself correlates with an outer query."""
    return (AlertDelivery.workspace_id == destination.workspace_id) & (
        AlertDelivery.alert_destination_id == destination.id
    )


def is_test_send_of(destination: AlertDestination | type[AlertDestination]) -> ColumnElement[bool]:
    """Return the condition for a destination's test sends. The class itself correlates with an outer query."""
    return is_delivery_of(destination) & IS_TEST_SEND


def has_reference(references: Sequence[str] | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition for test sends with one of these references, or with those of an expanding parameter."""
    # The limit has both databases use the index of references first, whatever else the outer query asks for.
    test = aliased(AlertDelivery)
    is_test = test.event_type == inline(TEST_EVENT)
    ids = select(test.id).where(is_test, ReferenceIn(test.payload).in_(references)).limit(MAX_SAME_REFERENCE)
    return AlertDelivery.id.in_(ids)


def find_test_send(destination: AlertDestination, delivery_id: int) -> AlertDelivery | None:
    """Fetch one of a destination's test sends."""
    query = select(AlertDelivery).where(AlertDelivery.id == delivery_id, is_test_send_of(destination))
    return db.session.scalars(query).one_or_none()


def list_test_sends(destination: AlertDestination) -> Sequence[AlertDelivery]:
    """Fetch a destination's newest test sends, newest first, with who requested them."""
    query = select(AlertDelivery).where(is_test_send_of(destination)).options(joinedload(AlertDelivery.requested_by))
    return db.session.scalars(query.order_by(*NEWEST_FIRST).limit(LISTED_TESTS)).all()


def count_test_sends(destination: AlertDestination) -> int:
    """Count a destination's test sends."""
    return db.session.scalar(select(func.count()).where(is_test_send_of(destination))) or 0


def has_real_alerts(destination: AlertDestination) -> bool:
    """Return whether a destination has any real alert."""
    # A subquery for each index range around the test sends. With both in one, PostgreSQL reads all test sends.
    ranges = (AlertDelivery.event_type < TEST_EVENT, AlertDelivery.event_type > TEST_EVENT)
    found = [exists().where(is_delivery_of(destination), is_in_range) for is_in_range in ranges]
    return bool(db.session.scalar(select(or_(*found))))
